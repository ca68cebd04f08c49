/** One target of the endpoint that was called in vain, before the present one. */
export type EndpointAttempt = {
  target: string | null;
  sipCallId: string;
  invitedAt: number;
  failed: { status: number; reason: string } | null;
};

export type EndpointFacts = {
  sipCallId: string;
  /** The URI that was called; rows from before targets do not have it. */
  target?: string | null;
  attempts?: readonly EndpointAttempt[];
  invitedAt: number;
  ringingAt: number | null;
  answeredAt: number | null;
  /** The agent in a browser who has, or had, the customer last; absent where it was a PBX. */
  agentId?: string;
  /** SIP dialog of the answered leg, so that a restarted gateway can still send its BYE. */
  dialog: Record<string, unknown> | null;
  failed: { status: number; reason: string } | null;
  endedAt: number | null;
};

export type EndpointEvent =
  | { type: 'EndpointInvited'; at: number; sipCallId: string; target?: string }
  | { type: 'EndpointRinging'; at: number }
  | { type: 'EndpointAnswered'; at: number; dialog: Record<string, unknown> | null }
  | { type: 'EndpointFailed'; at: number; status: number; reason: string }
  | { type: 'EndpointEnded'; at: number };

/** Folds what the endpoint's leg told into what is known of it. */
export function foldEndpoint(
  endpoint: EndpointFacts | null,
  event: EndpointEvent,
): EndpointFacts | null {
  if (event.type === 'EndpointInvited') {
    const { sipCallId, at: invitedAt, target = null } = event;
    const nothing = {
      ringingAt: null,
      answeredAt: null,
      dialog: null,
      failed: null,
      endedAt: null,
    };
    const attempts = attemptsBefore(endpoint);
    return { sipCallId, target, attempts, invitedAt, ...nothing };
  }
  if (endpoint === null) return null;
  switch (event.type) {
    case 'EndpointRinging':
      return { ...endpoint, ringingAt: endpoint.ringingAt ?? event.at };
    case 'EndpointAnswered':
      return { ...endpoint, answeredAt: event.at, dialog: event.dialog, ...agentIn(event.dialog) };
    case 'EndpointFailed':
      return { ...endpoint, failed: { status: event.status, reason: event.reason } };
    case 'EndpointEnded':
      return { ...endpoint, endedAt: event.at, dialog: null };
  }
}

/** The dialog names them, and goes with the end of the call; who it was stays. */
export function agentIn(dialog: Record<string, unknown> | null): { agentId?: string } {
  const agentId = dialog?.['agentId'];
  return typeof agentId === 'string' ? { agentId } : {};
}

function attemptsBefore(endpoint: EndpointFacts | null): readonly EndpointAttempt[] {
  if (endpoint === null) return [];
  const { attempts = [], target = null, sipCallId, invitedAt, failed } = endpoint;
  return [...attempts, { target, sipCallId, invitedAt, failed }];
}
