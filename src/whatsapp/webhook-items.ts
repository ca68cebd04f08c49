import { metaErrorFromWire } from './failure-from-response.ts';
import type { FactDetail, Person } from './whatsapp.ts';
import {
  callWire,
  messageWire,
  statusWire,
  type CallWire,
  type ContactWire,
  type MessageWire,
  type StatusWire,
  type ValueWire,
} from './wire.ts';

/**
 * The items inside the `calls` and `messages` fields. Each reader returns undefined for an item
 * whose shape it does not know; the caller records it as such.
 */
/** What one item says, before it is known where it came from. */
export type ItemFact = {
  key: string;
  at: number | undefined;
  person: Person;
  detail: FactDetail;
};

type Ids = {
  waId: string | undefined;
  userId: string | undefined;
  parentUserId: string | undefined;
};

/** `connect`, `terminate`, and the newer call events, which are recorded by name. */
export function parseCall(raw: unknown, value: ValueWire): ItemFact | undefined {
  const parsed = callWire.safeParse(raw);
  if (!parsed.success) return undefined;
  const call = parsed.data;
  return {
    key: `call:${call.id}:${call.event}`,
    at: call.timestamp,
    person: personOf(value, callSubject(call, value)),
    detail: callDetail(call, value),
  };
}

function callDetail(call: CallWire, value: ValueWire): FactDetail {
  const opaque = call.biz_opaque_callback_data;
  const base = { wacid: call.id, ...(opaque === undefined ? {} : { opaque }) };
  const direction = directionOf(call);
  if (call.event === 'connect' && call.session !== undefined) {
    // `connection.webrtc` repeats the SDP in a legacy double encoding: never read.
    return { kind: 'callConnect', ...base, direction, sdp: call.session.sdp };
  }
  if (call.event !== 'terminate') return { kind: 'unknown', field: `calls.${call.event}` };
  const completed = call.status === 'completed';
  // Documented beside `calls`, reported inside the call: both are read. Those beside it belong to
  // a failed call only, in case one body ends several calls.
  const errors = [...call.errors, ...(completed ? [] : value.errors)];
  return {
    kind: 'callTerminate',
    ...base,
    direction,
    completed,
    startedAt: call.start_time ?? null,
    endedAt: call.end_time ?? null,
    durationSeconds: call.duration ?? null,
    errors: errors.map(metaErrorFromWire),
  };
}

function directionOf(call: CallWire): 'business' | 'user' {
  if (call.direction !== undefined)
    return call.direction === 'user_initiated' ? 'user' : 'business';
  return call.session?.sdp_type === 'offer' ? 'user' : 'business';
}

/**
 * The person's end of the call. Several of Meta's samples swap `from` and `to`, so the end that
 * is the business number itself is never taken for the person.
 */
function callSubject(call: CallWire, value: ValueWire): Ids {
  const business = value.metadata.display_phone_number;
  const to = {
    waId: call.to,
    userId: call.to_user_id,
    parentUserId: call.to_parent_user_id,
  };
  const from = {
    waId: call.from,
    userId: call.from_user_id,
    parentUserId: call.from_parent_user_id,
  };
  const [named, other] = directionOf(call) === 'user' ? [from, to] : [to, from];
  const swapped = business !== undefined && sameNumber(named.waId, business);
  return swapped ? other : named;
}

/** RINGING, ACCEPTED, REJECTED of a call, or sent, delivered, read, failed of a message. */
export function parseStatus(raw: unknown, value: ValueWire): ItemFact | undefined {
  const parsed = statusWire.safeParse(raw);
  if (!parsed.success) return undefined;
  const status = parsed.data;
  const isCall = status.type === 'call' || status.id.startsWith('wacid.');
  return {
    key: `${isCall ? 'call' : 'mstatus'}:${status.id}:${isCall ? 'status:' : ''}${status.status}`,
    at: status.timestamp,
    person: personOf(value, {
      waId: status.recipient_id,
      userId: status.recipient_user_id,
      parentUserId: status.recipient_parent_user_id,
    }),
    detail: isCall ? callStatusDetail(status) : messageStatusDetail(status),
  };
}

function callStatusDetail(status: StatusWire): FactDetail {
  const opaque = status.biz_opaque_callback_data;
  switch (status.status) {
    case 'ringing':
    case 'accepted':
    case 'rejected':
      return {
        kind: 'callStatus',
        wacid: status.id,
        status: status.status,
        ...(opaque === undefined ? {} : { opaque }),
      };
    default:
      return { kind: 'unknown', field: `calls.statuses.${status.status}` };
  }
}

function messageStatusDetail(status: StatusWire): FactDetail {
  const opaque = status.biz_opaque_callback_data;
  // `played` is what a voice message becomes after it was read.
  const word = status.status === 'played' ? 'read' : status.status;
  switch (word) {
    case 'sent':
    case 'delivered':
    case 'read':
    case 'failed':
      return {
        kind: 'messageStatus',
        messageId: status.id,
        status: word,
        errors: status.errors.map(metaErrorFromWire),
        ...(opaque === undefined ? {} : { opaque }),
      };
    default:
      return { kind: 'unknown', field: `messages.statuses.${status.status}` };
  }
}

/** What a person sent: a permission reply, a button, a text; other types are recorded by name. */
export function parseMessage(raw: unknown, value: ValueWire): ItemFact | undefined {
  const parsed = messageWire.safeParse(raw);
  if (!parsed.success) return undefined;
  const message = parsed.data;
  return {
    key: `msg:${message.id}`,
    at: message.timestamp,
    person: personOf(value, {
      waId: message.from,
      userId: message.system?.previous_user_id ?? message.from_user_id,
      parentUserId: message.from_parent_user_id,
    }),
    detail: changeDetail(message) ?? messageDetail(message),
  };
}

function messageDetail(message: MessageWire): FactDetail {
  const contextId = message.context?.id;
  const base = { messageId: message.id, ...(contextId === undefined ? {} : { contextId }) };
  if (message.text !== undefined) return { kind: 'text', ...base, text: message.text.body };
  if (message.button !== undefined) return buttonDetail(base, message.button);
  const reply = message.interactive?.button_reply ?? message.interactive?.list_reply;
  if (reply !== undefined) return buttonDetail(base, { text: reply.title, payload: reply.id });
  return (
    permissionDetail(base, message) ?? {
      kind: 'unknown',
      field: `messages.${message.interactive?.type ?? message.type}`,
    }
  );
}

const CHANGES = new Set(['user_changed_number', 'customer_changed_number', 'user_changed_user_id']);

/** A system message that tells new names; other system messages are recorded by their type. */
function changeDetail({ id, system }: MessageWire): FactDetail | undefined {
  if (system === undefined || !CHANGES.has(system.type)) return undefined;
  const newWaId = system.wa_id ?? system.new_wa_id;
  const { user_id: newUserId } = system;
  if (newWaId === undefined && newUserId === undefined) return undefined;
  return {
    kind: 'personChanged',
    messageId: id,
    ...(newWaId === undefined ? {} : { newWaId: digitsOf(newWaId) }),
    ...(newUserId === undefined ? {} : { newUserId }),
  };
}

function buttonDetail(
  base: { messageId: string; contextId?: string },
  button: { text: string; payload?: string | undefined },
): FactDetail {
  return {
    kind: 'buttonReply',
    ...base,
    text: button.text,
    ...(button.payload === undefined ? {} : { payload: button.payload }),
  };
}

function permissionDetail(
  base: { messageId: string; contextId?: string },
  message: MessageWire,
): FactDetail | undefined {
  const reply = message.interactive?.call_permission_reply;
  if (reply?.response !== 'accept' && reply?.response !== 'reject') return undefined;
  const accepted = reply.response === 'accept';
  return {
    kind: 'permissionReply',
    ...base,
    response: reply.response,
    permanent: accepted && reply.is_permanent,
    expiresAt: accepted && !reply.is_permanent ? (reply.expiration_timestamp ?? null) : null,
    source: reply.response_source === 'automatic' ? 'automatic' : 'user',
  };
}

/** The ids an item carries, completed from the contact that goes with it. */
function personOf(value: ValueWire, ids: Ids): Person {
  const contact = value.contacts.find((item) => matches(item, ids)) ?? onlyContact(value, ids);
  const waId = ids.waId ?? contact?.wa_id;
  const userId = ids.userId ?? contact?.user_id;
  const parentUserId = ids.parentUserId ?? contact?.parent_user_id;
  const profileName = contact?.profile?.name ?? contact?.profile?.username;
  return {
    ...(waId === undefined ? {} : { waId: digitsOf(waId) }),
    ...(userId === undefined ? {} : { userId }),
    ...(parentUserId === undefined ? {} : { parentUserId }),
    ...(profileName === undefined ? {} : { profileName }),
  };
}

function matches(contact: ContactWire, ids: Ids): boolean {
  return (
    (ids.waId !== undefined && sameNumber(contact.wa_id, ids.waId)) ||
    (ids.userId !== undefined && contact.user_id === ids.userId)
  );
}

/** A single contact beside an item that names nobody can only be that person. */
function onlyContact(value: ValueWire, ids: Ids): ContactWire | undefined {
  const nameless = ids.waId === undefined && ids.userId === undefined;
  return nameless && value.contacts.length === 1 ? value.contacts[0] : undefined;
}

function sameNumber(a: string | undefined, b: string): boolean {
  return a !== undefined && digitsOf(a) === digitsOf(b);
}

/** `wa_id` is digits; a plus or blanks appear in `input` fields and some samples. */
function digitsOf(text: string): string {
  return text.replaceAll(/[+\s()-]/g, '');
}
