import { parseJson } from './failure-from-response.ts';
import { digest } from './webhook-digest.ts';
import { parseCall, parseMessage, parseStatus, type ItemFact } from './webhook-items.ts';
import { parseTemplateChange } from './webhook-templates.ts';
import type { WhatsAppFact } from './whatsapp.ts';
import {
  accountUpdateWire,
  changeWire,
  entryWire,
  envelopeWire,
  settingsUpdateWire,
  valueWire,
} from './wire.ts';

/**
 * Reads webhook bodies. It throws nothing, whatever arrives: what it does not know becomes a fact
 * of kind `unknown`, because an answer other than 200 only makes Meta send the same again.
 * Entries, changes and items are all lists, and one odd item never hides its neighbours.
 */
const FACTS_MAX = 10_000;

type Origin = { wabaId: string; entryAt: number; phoneNumberId: string };

/**
 * All facts of one body, in the order in which Meta wrote them. `receivedAt` (ms) stands in for
 * items without a time of their own.
 */
export function parseWebhook(rawBody: Buffer, receivedAt = 0): WhatsAppFact[] {
  const envelope = envelopeWire.safeParse(parseJson(rawBody.toString('utf8')));
  const nowhere: Origin = { wabaId: '', entryAt: receivedAt, phoneNumberId: '' };
  if (!envelope.success || envelope.data.entry.length === 0) {
    return [toFact(nowhere, unknownItem('no_entry', rawBody.toString('latin1')))];
  }
  const facts: WhatsAppFact[] = [];
  for (const item of envelope.data.entry) {
    const entry = entryWire.safeParse(item);
    if (!entry.success) {
      facts.push(toFact(nowhere, unknownItem('entry', item)));
    } else {
      const { id, time, changes } = entry.data;
      const origin = { wabaId: id ?? '', entryAt: time ?? receivedAt, phoneNumberId: '' };
      for (const change of changes) parseChange(origin, change, facts);
    }
    // Only somebody with the app secret gets here; still, 3 MB hold a million empty items.
    if (facts.length > FACTS_MAX) {
      return [
        ...facts.slice(0, FACTS_MAX),
        toFact(nowhere, unknownItem('too_many_items', facts.length)),
      ];
    }
  }
  return facts.length > 0 ? facts : [toFact(nowhere, unknownItem('no_changes', envelope.data))];
}

/**
 * What must stay in order: everything about one person on one line. The number comes first
 * because Meta leaves it out only for people who never show it.
 */
export function laneKey(fact: WhatsAppFact): string {
  const { waId, userId, parentUserId } = fact.person;
  const subject = waId ?? userId ?? parentUserId ?? idOf(fact) ?? fact.wabaId ?? '';
  return `${fact.phoneNumberId}/${subject}`;
}

function idOf(fact: WhatsAppFact): string | undefined {
  if ('wacid' in fact) return fact.wacid;
  return 'messageId' in fact ? fact.messageId : undefined;
}

function parseChange(origin: Origin, raw: unknown, facts: WhatsAppFact[]): void {
  const change = changeWire.safeParse(raw);
  if (!change.success) {
    facts.push(toFact(origin, unknownItem('change', raw)));
    return;
  }
  const { field, value } = change.data;
  switch (field) {
    case 'calls':
    case 'messages':
      parseItems(origin, field, value, facts);
      return;
    case 'message_template_status_update':
    case 'message_template_quality_update':
    case 'template_category_update':
      facts.push(toFact(origin, parseTemplateChange(value) ?? unknownItem(field, value)));
      return;
    case 'account_update':
      facts.push(toFact(origin, accountItem(origin, value) ?? unknownItem(field, value)));
      return;
    case 'account_settings_update':
      facts.push(settingsFact(origin, value) ?? toFact(origin, unknownItem(field, value)));
      return;
    default:
      facts.push(toFact(origin, unknownItem(field, value)));
  }
}

function parseItems(
  origin: Origin,
  field: string,
  rawValue: Record<string, unknown>,
  facts: WhatsAppFact[],
): void {
  const value = valueWire.parse(rawValue);
  const here = { ...origin, phoneNumberId: value.metadata.phone_number_id ?? '' };
  const before = facts.length;
  const read = (
    list: unknown[] | undefined,
    name: string,
    parse: (item: unknown) => ItemFact | undefined,
  ): void => {
    for (const item of list ?? []) {
      if (facts.length > FACTS_MAX) return;
      facts.push(toFact(here, parse(item) ?? unknownItem(`${field}.${name}`, item)));
    }
  };
  read(value.calls, 'calls', (item) => parseCall(item, value));
  read(value.statuses, 'statuses', (item) => parseStatus(item, value));
  read(value.messages, 'messages', (item) => parseMessage(item, value));
  if (facts.length === before) facts.push(toFact(here, unknownItem(field, rawValue)));
}

/** Keeps what came so that it is seen once, without keeping its content in the key. */
export function unknownItem(field: string, content: unknown): ItemFact {
  return {
    key: `unknown:${field}:${digest(content)}`,
    at: undefined,
    person: {},
    detail: { kind: 'unknown', field },
  };
}

function toFact(origin: Origin, item: ItemFact): WhatsAppFact {
  return {
    key: item.key,
    ...(origin.wabaId === '' ? {} : { wabaId: origin.wabaId }),
    phoneNumberId: origin.phoneNumberId,
    at: item.at ?? origin.entryAt,
    person: item.person,
    ...item.detail,
  };
}

function accountItem(origin: Origin, value: unknown): ItemFact | undefined {
  const parsed = accountUpdateWire.safeParse(value);
  if (!parsed.success) return undefined;
  const { event, phone_number, restriction_info, violation_info } = parsed.data;
  const violation = violation_info?.violation_type;
  return {
    key: `account:${origin.wabaId}:${origin.entryAt}:${digest(value)}`,
    at: undefined,
    person: {},
    detail: {
      kind: 'accountUpdate',
      event: event.toUpperCase(),
      restrictions: restriction_info.map((item) => ({
        type: item.restriction_type,
        expiresAt: item.expiration ?? null,
      })),
      ...(phone_number === undefined ? {} : { displayNumber: phone_number }),
      ...(violation === undefined ? {} : { violation }),
    },
  };
}

function settingsFact(origin: Origin, value: unknown): WhatsAppFact | undefined {
  const parsed = settingsUpdateWire.safeParse(value);
  if (!parsed.success) return undefined;
  const phoneNumberId = parsed.data.phone_number_settings.phone_number_id;
  return toFact(
    { ...origin, phoneNumberId },
    {
      key: `settings:${phoneNumberId}:${parsed.data.timestamp ?? ''}:${digest(value)}`,
      at: parsed.data.timestamp,
      person: {},
      detail: { kind: 'settingsUpdate' },
    },
  );
}
