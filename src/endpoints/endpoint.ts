import type { AgentOptions } from '../agents/agent.ts';
import type { CallStrategy } from '../http/api-types.ts';
import type { EndpointCodec } from '../media/media.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';
import type { SipTarget } from '../sip/sip.ts';

/**
 * Encrypted audio toward the endpoint: never, or else plain, or not at all. The keys travel in the
 * signalling (RFC 4568), so it keeps a secret only over TLS.
 */
export const ENDPOINT_SRTP = ['off', 'preferred', 'required'] as const;
export type EndpointSrtp = (typeof ENDPOINT_SRTP)[number];

/** What the customer hears after picking up, until the endpoint has answered. */
export const ENDPOINT_MEANWHILE = ['ringing', 'silence'] as const;
export type EndpointMeanwhile = (typeof ENDPOINT_MEANWHILE)[number];

/** Who the call says it is from: the customer's number, or the id of the contact. */
export const CALLER_IDS = ['number', 'alias'] as const;
export type CallerId = (typeof CALLER_IDS)[number];

/** What the User-to-User header (RFC 7433) carries: the caller's own reference, or our call id. */
export const USER_TO_USER = ['off', 'reference', 'call_id'] as const;
export type UserToUser = (typeof USER_TO_USER)[number];

/** What a target may say without being given up: see `failover.ts`. */
export const FAILOVER_CAUSES = [
  'no_answer',
  'server_error',
  'unreachable',
  'busy',
  'declined',
] as const;
export type FailoverCause = (typeof FAILOVER_CAUSES)[number];

export type Failover = {
  on: readonly FailoverCause[];
  /** Targets that one call tries at most. */
  maxTargets: number;
  /** No further target is tried later than this after the first INVITE. */
  withinMs: number;
};

export const NOBODY_ACTIONS = ['end', 'announce_and_end', 'queue_with_music', 'script'] as const;

/**
 * What happens when the customer has picked up and no target answers. `end` hangs up at once, as
 * the ringing tone has been heard till then; the others say or play something first.
 */
export type WhenNobody = {
  action: (typeof NOBODY_ACTIONS)[number];
  /** Name of a prompt, instead of the beeps of `announce_and_end` or the music of the queue. */
  prompt: string | null;
  /** Words instead of a prompt, spoken where the server can speak. */
  say?: string | undefined;
  /** Of `say`; English unless told. */
  language?: string | undefined;
  scriptId: string | null;
  /** How long at most, from the moment that nobody was there. */
  maxMs: number;
};

/** How an endpoint is called, beside where. Kept together, because nothing searches by them. */
export type EndpointOptions = {
  failover: Failover;
  callerId: CallerId;
  userToUser: UserToUser;
  /** Whether OPTIONS asks the targets how they are. */
  healthCheck: 'options' | 'off';
  /** Whether gateways register there, as the targets' user names. */
  register: boolean;
  whenNobody: WhenNobody;
  /** People in their browsers answer, instead of a PBX at the targets. */
  agents?: AgentOptions;
};

export const DEFAULT_OPTIONS: EndpointOptions = {
  failover: { on: ['no_answer', 'server_error', 'unreachable'], maxTargets: 3, withinMs: 45_000 },
  callerId: 'number',
  userToUser: 'reference',
  healthCheck: 'options',
  register: false,
  whenNobody: { action: 'end', prompt: null, scriptId: null, maxMs: 60_000 },
};

/** One address of an endpoint. */
export type EndpointTarget = {
  /** `sip:user@host[:port][;transport=udp|tcp|tls]`, or `sips:`. */
  uri: string;
  /** Lower ones are called first; among equal ones `weight` is the share (RFC 2782). */
  priority: number;
  weight: number;
  username: string | null;
  password: string | null;
  srtp: EndpointSrtp;
};

export const TARGETS_MAX = 8;

/**
 * Where the business talks: SIP addresses of its contact centre or PBX. Never a `tel:` URI: Meta
 * forbids the telephone network on any leg of a WhatsApp call.
 */
export type Endpoint = {
  id: EndpointId;
  accountId: AccountId;
  name: string;
  /** The first target's. */
  uri: string;
  /** At least one, in the order in which they were given. */
  targets: readonly EndpointTarget[];
  /** In order of preference. */
  codecs: readonly EndpointCodec[];
  strategy: CallStrategy;
  meanwhile: EndpointMeanwhile;
  ringTimeoutMs: number;
  options: EndpointOptions;
  /** Calls at a time and minutes of talk in a day (UTC); null is without end. */
  maxCalls: number | null;
  minutesPerDay: number | null;
};

/** The target with this URI; the first where it has gone, for a dialog that is left over. */
export function targetOf(endpoint: Endpoint, uri: string | null): EndpointTarget {
  const { targets } = endpoint;
  const first = targets[0];
  if (first === undefined) throw new RangeError(`endpoint ${endpoint.id} has no target`);
  return targets.find((target) => target.uri === uri) ?? first;
}

/** A target as the SIP user agent wants it. */
export function sipTarget({ uri, username, password }: EndpointTarget): SipTarget {
  return {
    uri,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  };
}
