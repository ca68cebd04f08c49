import type { EventView, TimelineEntry } from '../../../src/http/api-types.ts';
import { inWords } from '../ui/format.ts';

/** One line of a history: a fact from the ledger, or an event that went out about one. */
export type HistoryEntry = {
  key: string;
  source: 'ledger' | 'event';
  type: string;
  at: string;
  /** Who made it so; null for events, which only tell. */
  actor: string | null;
  /** As the API gave it. */
  raw: TimelineEntry | EventView;
};

/** Ledger and events as one history in order of time; a fact stands before its own event. */
export function historyOf(
  entries: readonly TimelineEntry[],
  events: readonly EventView[],
): HistoryEntry[] {
  const facts = entries.map((raw): HistoryEntry => {
    const { sequence, type, at, actor } = raw;
    return { key: `ledger ${sequence}`, source: 'ledger', type, at, actor, raw };
  });
  const told = events.map((raw): HistoryEntry => {
    const { id, type, timestamp } = raw;
    return { key: id, source: 'event', type, at: timestamp, actor: null, raw };
  });
  return [...facts, ...told].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** What the names of the ledger mean to somebody who has not read the glossary. */
const PLAIN_WORDS: Partial<Record<string, string>> = {
  PermissionRequested: 'Permission asked for',
  PermissionRequestSent: 'Request handed to WhatsApp',
  PermissionRequestDelivered: 'Request reached the phone',
  PermissionRequestRead: 'Request was read',
  PermissionRequestFailed: 'Request failed',
  PermissionRequestLapsed: 'Request was never answered',
  PermissionGranted: 'Calls allowed',
  PermissionDeclined: 'Said not now',
  PermissionExpired: 'Permission ran out',
  PermissionRevoked: 'Permission taken back',
  PermissionUsed: 'Permission used for this call',
  PermissionPartlyUsed: 'Permission used for this call, and good for more',
  PermissionReleased: 'Permission given back unused',
  CallConnected: 'Counted as picked up',
  CallUnanswered: 'Counted as unanswered',
  DoNotCallAdded: 'Put on the do-not-call list',
  DoNotCallRemoved: 'Taken off a do-not-call list',
  CallRequested: 'Call requested',
  CallBlocked: 'Gate refused the call',
  CallDialing: 'WhatsApp asked to call',
  CallInitiated: 'WhatsApp took the call',
  CallDialUnknown: 'No clear answer from WhatsApp',
  CallMediaAnswered: 'WhatsApp answered the sound offer',
  CallMediaConnected: 'Sound path to WhatsApp is up',
  CallRinging: 'Phone rings',
  CallAnswered: 'Picked up',
  CallRejected: 'Declined on the phone',
  CallBridged: 'Both sides hear each other',
  RecordingOpened: 'Recording asked for',
  RecordingStarted: 'Recording begun',
  RecordingPaused: 'Recording paused',
  RecordingResumed: 'Recording goes on',
  RecordingReady: 'Recording ready',
  RecordingFailed: 'Nothing was recorded',
  RecordingDeleted: 'Recording deleted',
  CallOrdered: 'Ordered by the business',
  CallOrderTaken: 'Order taken',
  CallOrderDone: 'Order done',
  CallOrderFailed: 'Order failed',
  CallHeld: 'Put on hold',
  CallResumed: 'Taken off hold',
  CallMuted: 'Muted',
  CallUnmuted: 'Heard again',
  CallDigitsSent: 'Keys sent',
  CallTransferStarted: 'Transfer begun',
  CallTransferred: 'Transferred',
  CallTransferFailed: 'Transfer failed',
  CallTransferRefused: 'Transfer by the PBX refused',
  CallListenerAdded: 'A listener joined',
  CallListenerRemoved: 'A listener left',
  LegInvited: 'Another endpoint invited',
  LegAnswered: 'Another endpoint picked up',
  LegEnded: 'A leg ended',
  LegTaken: 'The endpoint took the call',
  CallTerminated: 'WhatsApp ended the call',
  CallHangUpRequested: 'Hang-up asked for',
  CallEnded: 'Call over, record written',
  CallFactLate: 'A late message, noted only',
  EndpointInvited: 'Endpoint invited (SIP INVITE)',
  EndpointRinging: 'Endpoint rings',
  EndpointAnswered: 'Endpoint picked up',
  EndpointFailed: 'Endpoint could not be reached',
  EndpointEnded: 'Endpoint hung up',
};

export function entryWords(entry: HistoryEntry): string {
  const action = entry.type === 'CallOrdered' && 'data' in entry.raw && entry.raw.data['action'];
  if (typeof action === 'string') return `Ordered: ${inWords(action).toLowerCase()}`;
  return PLAIN_WORDS[entry.type] ?? inWords(entry.type);
}

/** Who made it so, as a reader would say it; a key's id is long, and the raw form has it. */
export function actorWords(actor: string): string {
  if (actor.startsWith('api:')) return 'the API';
  return ACTORS[actor] ?? inWords(actor).toLowerCase();
}

const ACTORS: Partial<Record<string, string>> = { platform: 'Askfirst', meta: 'WhatsApp' };
