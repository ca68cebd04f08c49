import type { Contact } from '../contacts/contact.ts';
import type { Queryable } from '../database/database.ts';
import { listLines, readLines, type StoredLine } from '../lines/line-store.ts';
import { isoTime } from '../platform/clock.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import { consentsOf } from './consent-store.ts';
import { isLive, NEVER, requestOf, type ConsentState } from './consent.ts';
import { languageFor } from './opt-out-words.ts';
import type { ShownLine } from './stop-page.ts';
import { timeInWords } from './stop-page-time.ts';

export type StopPagePorts = { database: Queryable; packs: PolicyPacks };

export type ShownToPerson = { language: string; from: string[]; lines: ShownLine[] };

/**
 * What the page tells a person: in which language, which lines asked or called them, and what each
 * may do at `now`. After a stop nobody may do anything, so the lines are named and no more.
 */
export async function shownTo(
  { database, packs }: StopPagePorts,
  contact: Contact,
  now: number,
): Promise<ShownToPerson> {
  const { id, accountId, country, language: known } = contact;
  const consents = await consentsOf(database, [id]);
  const asked = known ?? languageAsked(consents.map(({ state }) => state));
  const language = languageFor({ asked, country });
  const lineIds = consents.map(({ lineId }) => lineId);
  const lines =
    lineIds.length > 0 ? await readLines(database, lineIds) : await listLines(database, accountId);
  const from = [...new Set(lines.map(({ name }) => name))];
  if (contact.optedOutAt !== null) return { language, from, lines: [] };
  const shown = lines.map((line): ShownLine => {
    const state = consents.find(({ lineId }) => lineId === line.id)?.state;
    const reader = { ...contact, language };
    const allowed = state === undefined ? null : allowedBy(state, line, { packs, reader, now });
    return { name: line.name, allowed };
  });
  // Each line stands with what it may do; said above as well, the names would be read out twice.
  return { language, from: [], lines: shown };
}

function languageAsked(states: readonly ConsentState[]): string | null {
  return states.map(requestOf).find((request) => request !== null)?.language ?? null;
}

type Moment = { packs: PolicyPacks; reader: Contact & { language: string }; now: number };

function allowedBy(
  state: ConsentState,
  line: StoredLine,
  { packs, reader, now }: Moment,
): ShownLine['allowed'] {
  if (!isLive(state, now)) return null;
  const { permissionId, expiresAt, purpose } = state.permission;
  const { callsPerGrant } = packs.rulesOf(line.policyPack);
  const once = callsPerGrant !== null && callsPerGrant - state.history.callsPlaced === 1;
  const until =
    expiresAt >= NEVER ? null : { iso: isoTime(expiresAt), text: timeInWords(expiresAt, reader) };
  return { permissionId, once, until, purpose };
}
