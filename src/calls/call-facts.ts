import type { KeyExchange, MediaLeg, SilenceCause } from '../media/media.ts';
import type { PermissionId } from '../platform/ids.ts';
import type { MetaError } from '../whatsapp/whatsapp.ts';
import type { CallControl } from './call-control.ts';
import { foldEndpoint, type EndpointEvent, type EndpointFacts } from './endpoint-facts.ts';

/**
 * What is known to have happened to a call, from Meta, from the endpoint and from our own legs. A
 * fact is recorded once with its own time and never taken back; `call.ts` says what facts mean
 * together.
 */
export type EndedBy = 'customer' | 'business' | 'endpoint' | 'platform';

/** Everything known to have happened; null means not (yet). Instants in ms. */
export type CallFacts = {
  permissionId: PermissionId | null;
  policyPack: string | null;
  permissionAgeMs: number | null;
  /** What a due call waits for, or did at last; absent where it never had to. */
  wait?: WaitFact;
  dialingAt: number | null;
  dialUnknown: boolean;
  wacid: string | null;
  initiatedAt: number | null;
  /** Meta's SDP answer, until the call has ended. */
  mediaAnswer: string | null;
  mediaAnsweredAt: number | null;
  mediaConnectedAt: number | null;
  /** How the keys toward WhatsApp were agreed; absent for DTLS. */
  keyExchange?: KeyExchange;
  ringingAt: number | null;
  answeredAt: number | null;
  rejectedAt: number | null;
  bridgedAt: number | null;
  endpoint: EndpointFacts | null;
  /** When one side could not be heard although it should; absent in rows from before it. */
  audioGaps?: readonly AudioGap[];
  /** How often both were connected and neither made a sound for long; absent for never. */
  deadAirs?: number;
  /** Orders, holds, transfers, listeners; absent until there was one. */
  control?: CallControl;
  hangUp: { by: EndedBy; reason: string; at: number } | null;
  terminated: TerminateFact | null;
};

/** A while in which nothing came from a side of a bridged call. */
export type AudioGap = {
  leg: MediaLeg;
  cause: SilenceCause;
  from: number;
  /** Null: until the end of the call. */
  to: number | null;
};

export type TerminateFact = {
  /** When we learned it, by our clock: the settling time counts from here. */
  learnedAt: number;
  at: number;
  completed: boolean;
  startedAt: number | null;
  endedAt: number | null;
  durationSeconds: number | null;
  errors: MetaError[];
};

/** A code of `end-codes.ts`; `to` is null while it waits. */
export type WaitFact = { code: WaitCode; from: number; to: number | null };
export type WaitCode = 'agents_unavailable';

/** An event that adds to the facts. */
export type FactEvent =
  | { type: 'CallWaits'; at: number; code: WaitCode }
  | { type: 'CallWaitEnded'; at: number }
  | {
      type: 'CallDialing';
      at: number;
      permissionId: PermissionId;
      policyPack: string;
      permissionAgeMs: number;
    }
  | { type: 'CallInitiated'; at: number; wacid: string }
  | { type: 'CallDialUnknown'; at: number; reason: string }
  | { type: 'CallMediaAnswered'; at: number; sdp: string }
  | { type: 'CallMediaConnected'; at: number; keyExchange?: KeyExchange }
  | { type: 'CallRinging'; at: number }
  | { type: 'CallAnswered'; at: number }
  | { type: 'CallRejected'; at: number }
  | { type: 'CallBridged'; at: number }
  | { type: 'CallAudioLost'; at: number; leg: MediaLeg; cause: SilenceCause }
  | { type: 'CallAudioFound'; at: number; leg: MediaLeg }
  | { type: 'CallDeadAir'; at: number; silentMs: number }
  | ({ type: 'CallTerminated' } & TerminateFact)
  | { type: 'CallHangUpRequested'; at: number; by: EndedBy; reason: string }
  | EndpointEvent
  | { type: 'CallFactLate'; at: number; fact: string };

/** Before anything has happened. */
export const NOTHING_YET: CallFacts = {
  permissionId: null,
  policyPack: null,
  permissionAgeMs: null,
  dialingAt: null,
  dialUnknown: false,
  wacid: null,
  initiatedAt: null,
  mediaAnswer: null,
  mediaAnsweredAt: null,
  mediaConnectedAt: null,
  ringingAt: null,
  answeredAt: null,
  rejectedAt: null,
  bridgedAt: null,
  endpoint: null,
  hangUp: null,
  terminated: null,
};

/** Adds what one event tells. */
export function foldFact(facts: CallFacts, event: FactEvent): CallFacts {
  switch (event.type) {
    case 'CallWaits':
      return { ...facts, wait: { code: event.code, from: event.at, to: null } };
    case 'CallWaitEnded':
      return facts.wait === undefined ? facts : { ...facts, wait: { ...facts.wait, to: event.at } };
    case 'CallDialing':
      return {
        ...facts,
        dialingAt: event.at,
        permissionId: event.permissionId,
        policyPack: event.policyPack,
        permissionAgeMs: event.permissionAgeMs,
      };
    case 'CallInitiated':
      return { ...facts, wacid: event.wacid, initiatedAt: event.at };
    case 'CallDialUnknown':
      return { ...facts, dialUnknown: true };
    case 'CallMediaAnswered':
      return { ...facts, mediaAnswer: event.sdp, mediaAnsweredAt: event.at };
    case 'CallMediaConnected':
      return {
        ...facts,
        mediaConnectedAt: event.at,
        ...(event.keyExchange === undefined ? {} : { keyExchange: event.keyExchange }),
      };
    case 'CallRinging':
      return { ...facts, ringingAt: event.at };
    case 'CallAnswered':
      return { ...facts, answeredAt: event.at };
    case 'CallRejected':
      return { ...facts, rejectedAt: event.at };
    case 'CallBridged':
      return { ...facts, bridgedAt: event.at };
    case 'CallAudioLost': {
      const { leg, cause, at: from } = event;
      return { ...facts, audioGaps: [...(facts.audioGaps ?? []), { leg, cause, from, to: null }] };
    }
    case 'CallDeadAir':
      return { ...facts, deadAirs: (facts.deadAirs ?? 0) + 1 };
    case 'CallAudioFound':
      return {
        ...facts,
        audioGaps: (facts.audioGaps ?? []).map((gap) =>
          gap.leg === event.leg && gap.to === null ? { ...gap, to: event.at } : gap,
        ),
      };
    case 'CallTerminated': {
      const { type: _type, ...terminated } = event;
      return { ...facts, terminated, answeredAt: facts.answeredAt ?? terminated.startedAt };
    }
    case 'CallHangUpRequested':
      return { ...facts, hangUp: { by: event.by, reason: event.reason, at: event.at } };
    case 'CallFactLate':
      return facts;
    default:
      return { ...facts, endpoint: foldEndpoint(facts.endpoint, event) };
  }
}
