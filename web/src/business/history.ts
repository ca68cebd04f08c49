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
  CallAudioLost: 'A side cannot be heard',
  CallAudioFound: 'Heard again after a gap',
  CallDeadAir: 'Nobody makes a sound',
  CallNobodyThere: 'Picked up, and nobody was there for them',
  CallWaits: 'Waits for somebody to answer',
  CallWaitEnded: 'Waiting is over',
  CallRescheduled: 'Put off to another time',
  CallScriptStarted: 'Script begun',
  CallScriptStep: 'Step of the script',
  CallScriptEnded: 'Script over',
  CallOutcomeSet: 'Outcome written down',
  CallButtonRequested: 'Call button on its way',
  CallButtonSent: 'Call button sent',
  CallButtonFailed: 'Call button failed',
  CallButtonRefused: 'Call button not sent',
  RunStarted: 'Put on a journey',
  RunStepped: 'Step of the journey',
  RunEnded: 'Journey over',
  SurveyRequested: 'Survey on its way',
  SurveySent: 'Asked how the call was',
  SurveyAnswered: 'Said how the call was',
  SurveyFailed: 'Survey did not arrive',
  SurveyRefused: 'Not asked how the call was',
  SurveyReplyIgnored: 'An answer that does not count',
  PermissionRequestRefused: 'Gate refused the request',
  PermissionRequestPlanned: 'Request planned for later',
  PermissionPlanEnded: 'Planned request not sent',
  QuickReplyReceived: 'Tapped a button',
  OptedOut: 'Said stop',
  OptOutRepeated: 'Said stop again',
  OptOutLate: 'A stop from before, noted only',
  OptOutLifted: 'Opted in again',
  ContactChanged: 'Details changed',
  ContactMerged: 'Found to be one person with another contact',
  ContactAbsorbed: 'Goes on under another contact',
  ContactErased: 'Erased',
  NumberChanged: 'Number changed',
  NumberLost: 'Number passed on to somebody else',
  UserIdChanged: 'User id changed',
};

export function entryWords(entry: HistoryEntry): string {
  const more = 'data' in entry.raw ? moreOf(entry.type, entry.raw.data) : null;
  const words = PLAIN_WORDS[entry.type] ?? inWords(entry.type);
  if (more !== null) return `${words}: ${more}`;
  const action = entry.type === 'CallOrdered' && 'data' in entry.raw && entry.raw.data['action'];
  if (typeof action === 'string') return `Ordered: ${inWords(action).toLowerCase()}`;
  return words;
}

/** What of an entry's own facts tells one of its kind from the next. */
function moreOf(type: string, data: Record<string, unknown>): string | null {
  const field = MORE_FIELDS[type];
  const value = field === undefined ? undefined : data[field];
  if (typeof value === 'number') return `${value} of 5`;
  return typeof value === 'string' ? inWords(value).toLowerCase() : null;
}

const MORE_FIELDS: Partial<Record<string, string>> = {
  RunStepped: 'step',
  RunEnded: 'end',
  SurveyAnswered: 'score',
  SurveyRefused: 'code',
  SurveyReplyIgnored: 'reason',
  CallOutcomeSet: 'outcome',
};

/** Who made it so, as a reader would say it; a key's id is long, and the raw form has it. */
export function actorWords(actor: string): string {
  if (actor.startsWith('api:')) return 'the API';
  return ACTORS[actor] ?? inWords(actor).toLowerCase();
}

const ACTORS: Partial<Record<string, string>> = { platform: 'Askfirst', meta: 'WhatsApp' };
