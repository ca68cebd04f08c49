import type { AgentOptions } from '../agents/agent.ts';
import type { Attribution } from '../attribution/attribution.ts';
import type { PermissionRequestStatus } from '../consent/request-types.ts';

/**
 * What the API answers, as types; the web page and the client of the demo read these. Times are
 * RFC 3339 UTC text, numbers E.164 with a plus, durations milliseconds with the unit in the name.
 */
export type Page<T> = { items: T[]; next: string | null };

export type Problem = {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  fix: string;
  docs_url: string;
  request_id: string;
  rule?: string;
  allowedAt?: string;
  latestAt?: string;
  evidence?: Record<string, unknown>;
  /** For invalid input: which field broke which rule. */
  fields?: Array<{ field: string; rule: string; fix: string }>;
};

export type LineView = {
  id: string;
  name: string;
  displayNumber: string;
  country: string;
  phoneNumberId: string;
  wabaId: string;
  graphBaseUrl: string;
  graphVersion: string;
  policyPack: string;
  enabled: boolean;
  restrictedUntil: string | null;
  defaultEndpointId: string | null;
  optOutKey: string | null;
  keyExchange: 'dtls' | 'sdes';
};

export type CallStrategy = 'on_answer' | 'on_ringing' | 'agent_first';

export type EndpointView = {
  id: string;
  name: string;
  /** The first target's, as `srtp`. */
  uri: string;
  targets: EndpointTargetView[];
  codecs: string[];
  strategy: CallStrategy;
  ringTimeoutMs: number;
  srtp: EndpointTargetView['srtp'];
  meanwhile: 'ringing' | 'silence';
  failover: {
    on: Array<'no_answer' | 'server_error' | 'unreachable' | 'busy' | 'declined'>;
    maxTargets: number;
    withinMs: number;
  };
  callerId: 'number' | 'alias';
  userToUser: 'off' | 'reference' | 'call_id';
  healthCheck: 'options' | 'off';
  register: boolean;
  /** As SIP OPTIONS found its targets last; degraded: some of them are down. */
  health: 'up' | 'degraded' | 'down' | 'unknown';
  whenNobody: {
    action: 'end' | 'announce_and_end' | 'queue_with_music' | 'script';
    prompt: string | null;
    say?: string | undefined;
    language?: string | undefined;
    scriptId: string | null;
    maxMs: number;
  };
  agents: AgentOptions | null;
  maxCalls: number | null;
  minutesPerDay: number | null;
};

/** One target that a call tried. */
export type EndpointAttemptView = {
  target: string | null;
  sipCallId: string;
  invitedAt: string;
  /** Null where the call ended before any final answer. */
  sipStatus: number | null;
};

export type EndpointTargetView = {
  uri: string;
  priority: number;
  weight: number;
  username: string | null;
  srtp: 'off' | 'preferred' | 'required';
};

export type ConsentStatus =
  | 'none'
  | 'requested'
  | 'granted'
  | 'used'
  | 'declined'
  | 'expired'
  | 'revoked'
  | 'lapsed';

/** The seven facts per contact and line that the page asks every business to keep, and ids. */
export type ConsentView = {
  lineId: string;
  status: ConsentStatus;
  permissionId: string | null;
  requestId: string | null;
  purpose: string | null;
  grantedAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
  revokedBy: string | null;
  requestsSent: number;
  lastRequestAt: string | null;
};

export type ContactView = {
  id: string;
  number: string | null;
  userId: string | null;
  name: string | null;
  country: string | null;
  /** Such as `pt_BR`; null when the business does not say. */
  language: string | null;
  /** IANA name, one more zone whose calling hours are kept; null when only the number tells. */
  timeZone: string | null;
  doNotCall: boolean;
  optedOutAt: string | null;
  /** A message of theirs most likely meant stop; blocked until they answer. */
  optOutPending: { since: string; lineId: string } | null;
  sanctionedRegion: { since: string; by: string } | null;
  erasedAt: string | null;
  /** The contact that goes on for this one: the two turned out to be one person. */
  mergedInto: string | null;
  absorbed: string[];
  /** Over all lines; calls of the last 92 days. */
  history: {
    requestsSent: number;
    lastRequestAt: string | null;
    callsPlaced: number;
    callsConnected: number;
    lastCallAt: string | null;
    unansweredInRow: number;
  };
  consents: ConsentView[];
  createdAt: string;
};

export type PermissionRequestView = {
  id: string;
  contactId: string;
  lineId: string;
  purpose: string;
  template: string;
  /** Of the template's content; see `GET /v1/templates/{id}/versions`. */
  templateVersion: number | null;
  language: string;
  promisedAt: string | null;
  text: string;
  status: PermissionRequestStatus;
  createdAt: string;
  sendAt: string | null;
  answeredAt: string | null;
  /** The latest tap on a quick reply, and the native request that followed a yes. */
  quickReply: { answer: 'yes' | 'no'; at: string; nativeMessageId: string | null } | null;
  attribution: Attribution | null;
  error: { code: string; message: string; fix: string } | null;
};

export type PermissionView = {
  id: string;
  contactId: string;
  lineId: string;
  requestId: string | null;
  purpose: string | null;
  kind: 'temporary' | 'permanent';
  status: 'granted' | 'used' | 'expired' | 'revoked';
  grantedAt: string;
  /** Null for a permission that only a no ends. */
  expiresAt: string | null;
  usedByCallId: string | null;
  revokedAt: string | null;
  revokedBy: string | null;
};

export type CallStatus =
  | 'queued'
  | 'dialing'
  | 'initiated'
  | 'ringing'
  | 'answered'
  | 'bridged'
  | 'ended';

export type CallOutcome =
  | 'completed'
  | 'no_answer'
  | 'busy'
  | 'rejected'
  | 'canceled'
  | 'failed'
  | 'blocked';

export type CallView = {
  id: string;
  contactId: string;
  lineId: string;
  endpointId: string;
  /** The agent in a browser who has, or had, the customer last. */
  agentId: string | null;
  permissionId: string | null;
  purpose: string;
  strategy: CallStrategy;
  status: CallStatus;
  /** Why a due call is not dialled yet: the code it would end with, were it to wait too long. */
  waitsFor: string | null;
  outcome: CallOutcome | null;
  endReason: string | null;
  endedBy: 'customer' | 'business' | 'endpoint' | 'platform' | null;
  clientReference: string | null;
  attribution: Attribution | null;
  requestedAt: string;
  /** When it is, or was, to be dialled; and until when at the latest. */
  dueAt: string;
  latestAt: string;
  /** 0 to 9; 9 goes first among those that are due. */
  priority: number;
  initiatedAt: string | null;
  ringingAt: string | null;
  answeredAt: string | null;
  bridgedAt: string | null;
  endedAt: string | null;
  /** When a side of the bridged call could not be heard, and why. */
  audioGaps: AudioGapView[];
  /** How each leg sounded; null before the end, and where there was no media. */
  quality: { whatsapp: LegQualityView; endpoint: LegQualityView } | null;
  /** What proves that audio could pass, in order of time. Packets are told after the end. */
  mediaProof: MediaProofView[];
  /** The legs that reach nobody at present. */
  muted: Array<'whatsapp' | 'endpoint'>;
  /** When the customer was put on hold, and by whom; `to` is null while it lasts. */
  holds: HoldView[];
  transfers: TransferView[];
  /** Who listens, or did, and how. */
  listeners: ListenerView[];
  /** What the call script did; null where the call had none. */
  script: CallScriptView | null;
};

export type CallScriptView = {
  scriptId: string;
  version: number;
  startedAt: string | null;
  endedAt: string | null;
  /** How it ended; null while it runs, or when the call ended first. */
  end: string | null;
  result: string | null;
  stepCount: number;
  steps: Array<{
    name: string;
    kind: string;
    outcome: string;
    digits: string | null;
    problem: string | null;
    at: string;
  }>;
};

/** While it lasts, `to` is null. */
type Span = { from: string; to: string | null };

export type HoldView = Span & { by: 'business' | 'endpoint' | 'script' | 'platform' };

export type TransferView = {
  mode: 'blind' | 'attended';
  /** `endpoint`: the PBX asked for it. */
  by: 'business' | 'endpoint';
  fromEndpointId: string;
  toEndpointId: string;
  startedAt: string;
  endedAt: string | null;
  /** `transferred`, or the code of why not; null while it is under way. */
  outcome: string | null;
  /** The other endpoint has answered. */
  answered: boolean;
};

export type ListenerView = Span & { endpointId: string; mode: 'listen' | 'whisper' | 'barge' };

/** An order to a live call, and what became of it. */
export type CallActionView = {
  id: string;
  action: string;
  status: 'waiting' | 'taken' | 'done' | 'failed';
  /** Why it failed. */
  code: string | null;
  message: string | null;
  fix: string | null;
  leg: string | null;
  mode: string | null;
  endpointId: string | null;
  sound: string | null;
  askedAt: string;
  takenAt: string | null;
  finishedAt: string | null;
};

/** Score by the E-model, null when nothing came; `lossShare` from 0 to 1. */
export type LegQualityView = {
  mos: number | null;
  rttMs: number | null;
  jitterMs: number;
  lossShare: number;
};

export type MediaProofView = {
  step:
    | 'answered'
    | `${'ice' | 'dtls'}_connected`
    | 'sdes_keyed'
    | 'endpoint_answered'
    | 'bridged'
    | `${'whatsapp' | 'endpoint'}_first_${'packet_out' | 'packet_in' | 'sound_in'}`;
  at: string;
};

export type AudioGapView = {
  leg: 'whatsapp' | 'endpoint';
  cause:
    | `wrong_${'address' | 'codec'}`
    | 'srtp_failed'
    | 'never_sent'
    | 'stopped'
    | 'muted'
    | 'ack_lost';
  from: string;
  /** Null: it still lasts, or lasted until the end. */
  to: string | null;
};

/** One line of a contact's or call's history, straight from the ledger. */
export type TimelineEntry = {
  sequence: number;
  type: string;
  actor: string;
  at: string;
  data: Record<string, unknown>;
  /** Words, names and numbers; null where there are none and after the person was erased. */
  personal: Record<string, unknown> | null;
  /** True when there were personal particulars that nobody can read any more. */
  erased: boolean;
};

export type EventView = {
  id: string;
  type: string;
  timestamp: string;
  sequence: number;
  callId: string | null;
  contactId: string;
  data: Record<string, unknown>;
};

/** What a rule of the gate said, for `GET /v1/eligibility` and every refusal. */
export type RuleVerdict = {
  rule: string;
  /** The pack, law or `account` that asked; `none` where no layer limits this. */
  layer: string;
  /** A warning allows: it tells that the next time will be refused. */
  verdict: 'pass' | 'warn' | 'refuse' | 'not_applicable';
  code: string | null;
  message: string;
  fix: string | null;
  allowedAt: string | null;
  source: string;
  evidence: Record<string, unknown>;
};

export type EligibilityView = {
  allowed: boolean;
  /** The instant that was asked about. */
  at: string;
  /** The next instant at which every rule allows it; null when time alone will not do. */
  allowedAt: string | null;
  /** The last instant at which it would be allowed; null when there is none. */
  latestAt: string | null;
  policyPack: string;
  /** The pack and every law and setting that narrows it. */
  layers: string[];
  contactId: string | null;
  permissionId: string | null;
  rules: RuleVerdict[];
};
