import type { Database, Tx } from '../database/database.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import { contributionsOf } from './contribution.ts';
import {
  contactsBehind,
  lockFeed,
  readChains,
  readContributions,
  readPeople,
  removeContributions,
  saveContributions,
  saveCounted,
  type CountedChain,
  type CountedPerson,
} from './kpi-feed-store.ts';
import { settlePurposes, type PurposeKey } from './purpose-store.ts';
import { deltasOf, isChanged, type Change } from './rollups.ts';
import { addToRollups } from './rollup-store.ts';

const CONTACTS_PER_ROUND = 200;
/** After so many rounds at once the worker lets others have the database for a moment. */
const ROUNDS_MAX = 50;

/** `hinted`: these were told of. Null where nothing is known, and everybody is looked for. */
export type CountOptions = { hinted?: readonly ContactId[] | null; isClosing?: () => boolean };

/** Counts whatever waits, round by round; answers with the lines whose figures changed. */
export async function countAll(
  { database }: { database: Database },
  { hinted = null, isClosing = () => false }: CountOptions = {},
): Promise<ReadonlySet<string>> {
  const lines = new Set<string>();
  let left = hinted ?? [];
  for (let round = 0; round < ROUNDS_MAX && !isClosing(); round += 1) {
    const done = await database.transaction(async (tx) => {
      if (!(await lockFeed(tx))) return null;
      const next = left.slice(0, CONTACTS_PER_ROUND);
      const look = { limit: CONTACTS_PER_ROUND, all: hinted === null, hinted: next };
      const waiting = await contactsBehind(tx, look);
      const behind = waiting.flatMap(({ contactId, isBehind }) => (isBehind ? [contactId] : []));
      const counted = await countContacts(tx, [...new Set(behind)]);
      return { ...counted, isMore: waiting.length > 0 };
    });
    if (done === null) break;
    left = left.slice(CONTACTS_PER_ROUND);
    for (const line of done.lines) lines.add(line);
    if (!done.isMore) break;
  }
  return lines;
}

export type Counted = { people: number; changed: number; lines: ReadonlySet<string> };

/** Works out anew what these people contribute. The caller holds the lock of the feed. */
export async function countContacts(tx: Tx, contactIds: readonly ContactId[]): Promise<Counted> {
  if (contactIds.length === 0) return { people: 0, changed: 0, lines: new Set() };
  const people = await readPeople(tx, contactIds);
  const chains = await readChains(tx, people);
  const before = Map.groupBy(
    await readContributions(tx, contactIds),
    ({ contactId }) => contactId as ContactId,
  );
  const changes = people.flatMap((person) =>
    changesOf(person, chains.get(person.contactId), before.get(person.contactId) ?? []),
  );
  await saveChanges(tx, changes);
  const words = new Map([...chains.values()].flatMap(({ purposes }) => [...purposes]));
  await settlePurposes(tx, purposesIn(changes), words);
  await saveCounted(tx, people);
  const lines = changes.flatMap(({ before: was, after }) => [
    was?.dimensions.line ?? '',
    after?.dimensions.line ?? '',
  ]);
  return {
    people: people.length,
    changed: changes.length,
    lines: new Set(lines.filter((line) => line !== '')),
  };
}

type AccountChange = Change & { accountId: AccountId };

function changesOf(
  person: CountedPerson,
  chain: CountedChain | undefined,
  before: NonNullable<Change['before']>[],
): AccountChange[] {
  const { accountId } = person;
  const now = contributionsOf(person, chain?.entries ?? []);
  const was = new Map(before.map((each) => [each.id, each]));
  const ids = new Set(now.map(({ id }) => id));
  const gone = before.filter(({ id }) => !ids.has(id));
  return [
    ...now.map((after) => ({ accountId, before: was.get(after.id) ?? null, after })),
    ...gone.map((each) => ({ accountId, before: each, after: null })),
  ].filter(isChanged);
}

async function saveChanges(tx: Tx, changes: readonly AccountChange[]): Promise<void> {
  const after = changes.flatMap(({ accountId, after: contribution }) =>
    contribution === null ? [] : [{ accountId, contribution }],
  );
  const gone = changes.flatMap((each) =>
    each.after === null && each.before !== null ? [each.before] : [],
  );
  await saveContributions(tx, after);
  await removeContributions(tx, gone);
  const byAccount = Map.groupBy(changes, ({ accountId }) => accountId);
  for (const [accountId, ofAccount] of byAccount) {
    const deltas = deltasOf(ofAccount).map((delta) => ({ accountId, delta }));
    await addToRollups(tx, deltas);
  }
}

function purposesIn(changes: readonly AccountChange[]): PurposeKey[] {
  const keys = changes.flatMap(({ accountId, before, after }) =>
    [before?.dimensions.purpose ?? '', after?.dimensions.purpose ?? ''].flatMap((id) =>
      id === '' ? [] : [[`${accountId} ${id}`, { accountId, id }] as const],
    ),
  );
  return [...new Map(keys).values()];
}
