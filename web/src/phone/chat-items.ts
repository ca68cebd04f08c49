import type {
  PersonAction,
  SimButton,
  SimCall,
  SimMessage,
  SimPerson,
} from '../../../simulator/control-types.ts';
import { talkTime } from '../ui/format.ts';

/** What stands in the chat, oldest first: messages, and a line for each call that is over. */
export type ChatItem =
  | { kind: 'message'; at: string; id: string; message: SimMessage }
  | { kind: 'call'; at: string; id: string; call: SimCall };

/** A message of the business that was accepted or sent has not reached the phone yet. */
const NOT_ON_THE_PHONE = new Set<SimMessage['status']>(['accepted', 'sent', 'failed']);

export function chatItems(person: SimPerson): ChatItem[] {
  const messages = person.messages
    .filter((message) => !NOT_ON_THE_PHONE.has(message.status))
    .map((message): ChatItem => ({ kind: 'message', at: message.at, id: message.id, message }));
  const calls = person.pastCalls
    .filter((call) => call.ringingAt !== null)
    .map((call): ChatItem => ({ kind: 'call', at: call.startedAt, id: call.id, call }));
  return [...messages, ...calls].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** How a phone's chat remembers a call. */
export function pastCallText(call: SimCall): string {
  if (call.answeredAt !== null && call.endedAt !== null) {
    const lengthMs = Date.parse(call.endedAt) - Date.parse(call.answeredAt);
    return `Voice call · ${talkTime(lengthMs)}`;
  }
  if (call.ending === 'declined') return 'You declined a voice call';
  return 'Missed voice call';
}

/** The action that a tap on this button of this message is. */
export function tapOn(button: SimButton, message: SimMessage): PersonAction {
  switch (button.action) {
    case 'allow':
    case 'allow_always':
    case 'not_now':
      return { action: button.action, messageId: message.id };
    case 'tap':
      return { action: 'tap', text: button.text, messageId: message.id };
    case 'call_business':
      return { action: 'call_business', phoneNumberId: message.phoneNumberId };
  }
}

/** What a screen reader says about the call, once per change. */
export function callAnnouncement(person: SimPerson): string {
  const { call } = person;
  if (call?.state === 'ringing') return `Incoming call from ${call.businessName}.`;
  if (call?.state === 'answered') return `In a call with ${call.businessName}.`;
  const last = person.pastCalls[0];
  return last === undefined || last.ringingAt === null ? '' : `${pastCallText(last)}.`;
}
