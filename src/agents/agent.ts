import type { AccountId, CallId, Id } from '../platform/ids.ts';
import type { SavedDialog, SipCall, SipCallEvent } from '../sip/sip.ts';

/**
 * People who answer calls in the browser. An endpoint that names a group of them is called like
 * any other: each of its calls rings one agent at a time, the longest idle one first.
 */
export type AgentId = Id<'agent'>;
export type RingId = Id<'agentRing'>;

/** What an agent says of themself; `busy` follows from the call they have. */
export const AGENT_PRESENCES = ['available', 'away', 'wrap_up'] as const;
export type AgentPresence = (typeof AGENT_PRESENCES)[number];

/** What others see: `gone` has no browser open, whatever was said before. */
export const AGENT_STATES = ['available', 'ringing', 'busy', 'wrap_up', 'away', 'gone'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export const RING_STATES = ['ringing', 'answered', 'declined', 'ended'] as const;
export type RingState = (typeof RING_STATES)[number];

/** The call that an agent has, from its first ring to its end. */
export type AgentRing = {
  id: RingId;
  callId: CallId;
  state: RingState;
  /** Our SDP offer for the browser. */
  offer: string;
};

export type Agent = {
  id: AgentId;
  accountId: AccountId;
  name: string;
  groups: readonly string[];
  presence: AgentPresence;
  /** When `wrap_up` ends by itself, in ms. */
  wrapUpUntil: number | null;
  idleSince: number;
  /** A browser of theirs is open. */
  isThere: boolean;
  ring: AgentRing | null;
  /** The call whose customer is rung for this agent; it rings here next. */
  reservedFor: CallId | null;
  /** The call that was talked in last: its outcome may still be written. */
  lastCallId: CallId | null;
  createdAt: number;
};

/** How an endpoint of agents rings them. */
export type AgentOptions = {
  group: string;
  /** How long one agent's browser rings before the next one's does. */
  ringMs: number;
  /** The pause after a call; 0 for none. */
  wrapUpMs: number;
  /** How long a customer waits for an agent whose page was loaded again; 0 not at all. */
  returnMs: number;
};

/**
 * Calls to people in their browsers, told as a SIP call is: so that everything which works with a
 * phone works with them. The rows carry what the two sides say to each other, the gateway here and
 * the browser behind the API, which may be another process.
 */
export type AgentLines = {
  /** Rings one agent of the group after the other; ends in one of `failed` or `ended`. */
  ring(wish: RingOrder, onEvent: (event: SipCallEvent) => void): SipCall;
  /** Frees the agent of a call that another run left behind; anything else is ignored. */
  endLost(saved: SavedDialog): void;
  /** The call is over: whoever was kept for it is free. */
  release(callId: CallId): void;
  close(): Promise<void>;
};

export type RingOrder = {
  accountId: AccountId;
  callId: CallId;
  options: AgentOptions;
  /** Our SDP for the browser, with ICE as it is for this call. */
  offer: string;
  /** How long all agents together. */
  ringTimeoutMs: number;
  /** This agent alone, as soon as a browser of theirs is there: the call was theirs before. */
  only?: AgentId;
};

/** The reason of a hang-up where the agent's browser could not be connected. */
export const NO_MEDIA = 'agent_media_refused';

/** Longer than a page takes to load, shorter than anybody listens to music unasked. */
export const DEFAULT_RETURN_MS = 15_000;

/** The reason of an end where the agent's page went, and may be back in a moment. */
export const AGENT_LEFT = 'agent_left';

export const AGENT_LIMITS = {
  /** A browser that is not heard of for so long is gone. */
  leaseSeconds: 10,
  renewEveryMs: 3_000,
  /** After its stream was closed: a page that is loaded again is back before that. */
  closedSeconds: 3,
  /** A ring whose gateway died frees its agent after so long. */
  ringLeaseSeconds: 15,
  groupsMax: 20,
  agentsMax: 1_000,
} as const;

export const GROUP_SHAPE = /^[a-z0-9][a-z0-9-]{0,39}$/;
const SCHEME = 'agents:';

/** The address of a group; it is no SIP address, and nobody outside can name one. */
export function agentsUri(group: string): string {
  return `${SCHEME}${group}`;
}

export function isAgentsUri(uri: string): boolean {
  return uri.startsWith(SCHEME) && GROUP_SHAPE.test(uri.slice(SCHEME.length));
}

/** What is to be seen of an agent at an instant, in ms. */
export function agentState(agent: Agent, now: number): AgentState {
  if (agent.ring?.state === 'answered') return 'busy';
  if (!agent.isThere) return 'gone';
  if (agent.ring?.state === 'ringing') return 'ringing';
  if (agent.presence !== 'wrap_up') return agent.presence;
  const isOver = agent.wrapUpUntil !== null && agent.wrapUpUntil <= now;
  return isOver ? 'available' : 'wrap_up';
}
