import type { Attribution } from '../attribution/attribution.ts';
import type { Contact } from '../contacts/contact.ts';
import type {
  AudioGapView,
  CallScriptView,
  HoldView,
  ListenerView,
  TransferView,
  CallOutcome,
  CallStrategy,
  EndpointAttemptView,
  MediaProofView,
} from '../http/api-types.ts';
import type { MediaStats } from '../media/media.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import type { CallState } from './call.ts';
import type { EndedBy } from './call-facts.ts';
import type { RecordingBrief } from '../recording/recording-views.ts';
import { audioGapsOf } from './call-views.ts';
import { scriptView } from './call-script.ts';
import { controlViews, holdMs } from './control-views.ts';
import { mediaProofOf, wholeStats } from './media-proof.ts';

/** The call detail record: one per call, written with its end and never changed. */
export type Cdr = {
  callId: string;
  accountId: string;
  direction: 'outbound';
  lineId: string;
  businessNumber: string;
  businessCountry: string;
  contactId: string;
  customerNumber: string | null;
  customerUserId: string | null;
  customerCountry: string | null;
  endpointId: string;
  /** The agent in a browser who had the customer last; null where it was a PBX, or nobody. */
  agentId: string | null;
  purpose: string;
  clientReference: string | null;
  attribution: Attribution | null;
  /** The API key that asked for the call; null for calls from before it was kept. */
  keyId: string | null;
  permissionId: string | null;
  /** How old the customer's yes was at the dial. */
  permissionAgeMs: number | null;
  policyPack: string | null;
  strategy: CallStrategy;
  requestedAt: string;
  /** When it was to be dialled; null in records from before it was kept. */
  dueAt: string | null;
  dialedAt: string | null;
  initiatedAt: string | null;
  ringingAt: string | null;
  answeredAt: string | null;
  bridgedAt: string | null;
  endedAt: string;
  /** Post-dial delay: from the dial to the customer's ring. */
  postDialDelayMs: number | null;
  ringMs: number | null;
  talkMs: number | null;
  /** From the customer's pick-up to the first audio of the endpoint; null when there was none. */
  deadAirMs: number | null;
  /** Whole seconds from pick-up to end, and Meta's billing unit of 6 seconds, rounded up. */
  billableSeconds: number;
  billablePulses: number;
  outcome: CallOutcome;
  endReason: string;
  endedBy: EndedBy;
  wacid: string | null;
  metaErrors: number[];
  sipCallId: string | null;
  sipStatus: number | null;
  /** Every target of the endpoint that was called, in order; `sipStatus` is the last one's. */
  endpointAttempts: EndpointAttemptView[];
  /** When the customer heard music, by whose order, and how long in all. */
  holds: HoldView[];
  holdMs: number;
  transfers: TransferView[];
  listeners: ListenerView[];
  /** What the call script did; null where the call had none. */
  script: CallScriptView | null;
  /** How many keys the customer pressed, not which; null where there was no media. */
  dtmfCount: number | null;
  /** When a side of the bridged call could not be heard, and why. */
  audioGaps: AudioGapView[];
  /** What there is to hear, as it stood at the end of the call. */
  recordings: RecordingBrief[];
  /** How often both were connected and neither made a sound for 10 s. */
  deadAirAlarms: number;
  /** Pick-up, ICE, DTLS, first packets and sounds: where a call without audio broke. */
  mediaProof: MediaProofView[];
  media: MediaStats | null;
};

export type CdrLine = { displayNumber: string; country: string };

/** Builds the record of an ended call. Pure; all durations follow from recorded facts. */
export function cdrOf(
  state: Extract<CallState, { status: 'ended' }>,
  contact: Contact,
  line: CdrLine,
  recordings: RecordingBrief[],
): Cdr {
  const { plan, facts, end } = state;
  const { media } = end;
  const talkSeconds =
    facts.answeredAt === null ? 0 : Math.max(0, Math.ceil((end.at - facts.answeredAt) / 1000));
  return {
    callId: plan.id,
    accountId: plan.accountId,
    direction: 'outbound',
    lineId: plan.lineId,
    businessNumber: line.displayNumber,
    businessCountry: line.country,
    contactId: plan.contactId,
    customerNumber: contact.e164,
    customerUserId: contact.userId,
    customerCountry: contact.country,
    endpointId: plan.endpointId,
    agentId: facts.endpoint?.agentId ?? null,
    purpose: plan.purpose,
    clientReference: plan.clientReference,
    attribution: plan.attribution ?? null,
    keyId: plan.keyId ?? null,
    permissionId: facts.permissionId,
    permissionAgeMs: facts.permissionAgeMs,
    policyPack: facts.policyPack,
    strategy: plan.strategy,
    requestedAt: isoTime(plan.requestedAt),
    dueAt: isoTime(plan.dueAt),
    dialedAt: isoTimeOrNull(facts.dialingAt),
    initiatedAt: isoTimeOrNull(facts.initiatedAt),
    ringingAt: isoTimeOrNull(facts.ringingAt),
    answeredAt: isoTimeOrNull(facts.answeredAt),
    bridgedAt: isoTimeOrNull(facts.bridgedAt),
    endedAt: isoTime(end.at),
    postDialDelayMs: between(facts.dialingAt, facts.ringingAt),
    ringMs: between(facts.ringingAt, facts.answeredAt ?? end.at),
    talkMs: between(facts.bridgedAt, end.at),
    deadAirMs: between(facts.answeredAt, firstAgentAudioAt(facts.bridgedAt, media)),
    billableSeconds: talkSeconds,
    billablePulses: Math.ceil(talkSeconds / 6),
    outcome: end.outcome,
    endReason: end.reason,
    endedBy: end.by,
    wacid: facts.wacid,
    metaErrors: facts.terminated?.errors.map((error) => error.code) ?? [],
    sipCallId: facts.endpoint?.sipCallId ?? null,
    sipStatus: sipStatus(state),
    endpointAttempts: attemptsOf(state),
    ...controlRecord(state),
    script: scriptView(state),
    dtmfCount: media?.whatsapp.dtmfIn ?? null,
    audioGaps: audioGapsOf(facts),
    recordings,
    deadAirAlarms: facts.deadAirs ?? 0,
    mediaProof: mediaProofOf(facts, media),
    media,
  };
}

function controlRecord(
  state: Extract<CallState, { status: 'ended' }>,
): Pick<Cdr, 'holds' | 'holdMs' | 'transfers' | 'listeners'> {
  const { holds, transfers, listeners } = controlViews(state);
  return { holds, holdMs: holdMs(state, state.end.at), transfers, listeners };
}

/** A stored record in today's form: what was not kept in its days is empty. */
export function wholeCdr(stored: Cdr, accountId: AccountId): Cdr {
  const older: Partial<Cdr> = stored;
  const led = {
    accountId,
    dueAt: older.dueAt ?? null,
    dtmfCount: older.dtmfCount ?? null,
    holds: older.holds ?? [],
    holdMs: older.holdMs ?? 0,
    transfers: older.transfers ?? [],
    listeners: older.listeners ?? [],
    script: older.script ?? null,
    deadAirAlarms: older.deadAirAlarms ?? 0,
    recordings: older.recordings ?? [],
    attribution: older.attribution ?? null,
    agentId: older.agentId ?? null,
  };
  const media = stored.media === null ? null : wholeStats(stored.media);
  return { ...stored, ...led, mediaProof: older.mediaProof ?? [], media };
}

function attemptsOf(state: CallState): EndpointAttemptView[] {
  const { endpoint } = state.facts;
  if (endpoint === null) return [];
  const { attempts = [], target = null, invitedAt, sipCallId } = endpoint;
  const earlier = attempts.map((attempt) => ({
    ...attempt,
    invitedAt: isoTime(attempt.invitedAt),
    sipStatus: attempt.failed?.status ?? null,
  }));
  const last = { target, sipCallId, invitedAt: isoTime(invitedAt), sipStatus: sipStatus(state) };
  return [...earlier.map(({ failed: _failed, ...attempt }) => attempt), last];
}

function sipStatus({ facts }: CallState): number | null {
  if (facts.endpoint === null) return null;
  return facts.endpoint.failed?.status ?? (facts.endpoint.answeredAt === null ? null : 200);
}

/** The later of the bridge and the endpoint's first packet: before either, nobody could hear. */
function firstAgentAudioAt(bridgedAt: number | null, media: MediaStats | null): number | null {
  const packetAt = media?.endpoint.firstPacketInAt ?? null;
  if (bridgedAt === null || packetAt === null) return null;
  return Math.max(bridgedAt, packetAt);
}

/** Meta's times have whole seconds, ours milliseconds: a difference below zero is zero. */
function between(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from);
}
