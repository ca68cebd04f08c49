import type { Contact } from '../contacts/contact.ts';
import type { Tx } from '../database/database.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { Refusal } from '../platform/refusal.ts';
import type { EndpointDesk } from './endpoint-desk.ts';
import { readEndpoint, type StoredEndpoint } from './endpoint-store.ts';
import { readRouting } from './routing-store.ts';
import { decideRoute } from './routing.ts';

export type EndpointQuestion = {
  line: StoredLine;
  contact: Pick<Contact, 'accountId' | 'language' | 'country'>;
  /** The endpoint that the caller named, or null. */
  named: EndpointId | null;
  purpose: string;
  keyId: string;
  /** When the call is due; null for at once. */
  dueAt: number | null;
  now: number;
};

export type EndpointChoice = {
  endpointId: EndpointId;
  /** Null where no such endpoint exists. */
  endpoint: StoredEndpoint | null;
  /** The rule that picked it. */
  route: string | null;
  /** Why it can take no call now. Caps of a later time are judged at that time. */
  tooMuch: Refusal | null;
};

/** The endpoint of a new call: the named one, else by the account's rules, else the line's. */
export async function chooseEndpoint(
  tx: Tx,
  desk: EndpointDesk,
  question: EndpointQuestion,
): Promise<EndpointChoice | null> {
  const { line, contact, named, keyId, dueAt, now } = question;
  const picked = named === null ? await routed(tx, question) : { endpointId: named, rule: null };
  const endpointId = picked.endpointId ?? line.defaultEndpointId;
  if (endpointId === null) return null;
  const choice = { endpointId, route: picked.rule };
  const endpoint = await readEndpoint(tx, contact.accountId, endpointId);
  if (endpoint === null) return { ...choice, endpoint, tooMuch: null };
  const isLater = dueAt !== null && dueAt > now;
  const load = await desk.loadOf(tx, isLater ? [] : [endpoint]);
  return { ...choice, endpoint, tooMuch: desk.refusalFor(endpoint, keyId, load, isLater) };
}

async function routed(tx: Tx, { contact, purpose, dueAt, now }: EndpointQuestion) {
  const { accountId, language, country } = contact;
  const routing = await readRouting(tx, accountId);
  return decideRoute(routing, { purpose, language, country, at: dueAt ?? now });
}
