import { hash } from 'node:crypto';
import { BUCKET_COUNT, type Bucket } from '../platform/ids.ts';
import { parseJson } from './failure-from-response.ts';

/**
 * Where a delivery goes: its bucket and its lane, from the person of its first item. This reads
 * the same as `laneKey` of the first fact, without building the facts: that would cost as much
 * as the rest of the intake, and the worker does it anyway. A test holds the two together.
 * Reading it wrongly could only cost order, and facts stand any order further on.
 */
export function laneOf(rawBody: Buffer): { bucket: Bucket; lane: number } {
  const text = laneAtSight(rawBody) ?? laneText(parseJson(rawBody.toString('utf8')));
  const digest = hash('sha256', text, 'buffer');
  return { bucket: digest.readUInt8(0) % BUCKET_COUNT, lane: digest.readUIntBE(1, 6) };
}

const LINE_FIELD = '"phone_number_id":"';
const PERSON_FIELD = '"wa_id":"';

/**
 * The common case without parsing, which is a tenth of the whole intake. Quotes inside JSON
 * strings are escaped, so `"wa_id":"` can only ever be a field, whatever somebody writes in a
 * message; in Meta's compact form the first one is that of the first contact.
 */
function laneAtSight(rawBody: Buffer): string | undefined {
  const line = digitsAfter(rawBody, LINE_FIELD);
  const person = line === undefined ? undefined : digitsAfter(rawBody, PERSON_FIELD);
  return person === undefined ? undefined : `${line}/${person}`;
}

function digitsAfter(rawBody: Buffer, fieldName: string): string | undefined {
  const found = rawBody.indexOf(fieldName, 0, 'latin1');
  if (found < 0) return undefined;
  const start = found + fieldName.length;
  const end = rawBody.indexOf(0x22, start);
  const value = rawBody.toString('latin1', start, Math.min(end, start + 32));
  return /^\d+$/.test(value) ? value : undefined;
}

function laneText(body: unknown): string {
  const entry = first(body, 'entry');
  const value = field(first(entry, 'changes'), 'value');
  const metadata = field(value, 'metadata');
  const call = first(value, 'calls');
  const status = first(value, 'statuses');
  const message = first(value, 'messages');
  const item = call ?? status ?? message;
  const contact = first(value, 'contacts');
  const end = endOf(call, status, text(metadata, 'display_phone_number'));
  const person =
    text(item, end) ??
    text(contact, 'wa_id') ??
    text(item, end === 'recipient_id' ? 'recipient_user_id' : `${end}_user_id`) ??
    text(contact, 'user_id') ??
    text(item, 'id') ??
    text(entry, 'id');
  return `${text(metadata, 'phone_number_id') ?? ''}/${person?.replace(/^\+/, '') ?? ''}`;
}

/** The field that names the person: the end of a call that is not the business, or the sender. */
function endOf(call: unknown, status: unknown, business: string | undefined): string {
  if (call === undefined) return status === undefined ? 'from' : 'recipient_id';
  const toPerson = text(call, 'direction')?.toUpperCase() !== 'USER_INITIATED';
  const end = toPerson ? 'to' : 'from';
  if (business === undefined || text(call, end) !== business) return end;
  return toPerson ? 'from' : 'to';
}

function field(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null
    ? (holder as Record<string, unknown>)[name]
    : undefined;
}

function first(holder: unknown, name: string): unknown {
  const list = field(holder, name);
  return Array.isArray(list) ? (list as unknown[])[0] : undefined;
}

function text(holder: unknown, name: string): string | undefined {
  const found = field(holder, name);
  return typeof found === 'string' && found !== '' ? found : undefined;
}
