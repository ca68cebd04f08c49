import type { Contact } from '../contacts/contact.ts';
import { lockContacts, saveChainHeads, type LockedContact } from '../contacts/contact-store.ts';
import type { Database, Tx } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import { invariant } from '../platform/invariant.ts';
import { wakeRuns, WAKING } from '../journeys/run-wake-store.ts';
import type { CallId, ContactId, Ids } from '../platform/ids.ts';
import { announceAll, type Announcement } from '../webhooks/outbox-store.ts';
import type { Change, Changes } from './changes.ts';
import { chain, type LedgerEntry } from './ledger.ts';
import { insertEntries } from './ledger-store.ts';

/**
 * The one way to change state: lock the contact, decide, then write state, ledger entries and
 * outgoing events together. Nothing remote happens in here. The contact's row lock makes one
 * order of everything that ever happens to a person, on however many nodes.
 */
export type ContactUnit = {
  readonly tx: Tx;
  readonly contact: Contact;
  /** How many journeys the contact was on when it was locked. */
  readonly liveRuns: number;
  /** Contacts that this one goes on for, where their locks were taken along; else empty. */
  readonly absorbed: readonly ContactUnit[];
  /** The instant this unit decides at; the same for everything in it. */
  readonly now: number;
  readonly ids: Ids;
  /** Adds a ledger entry and, if given, the outgoing event that announces it. */
  record(entry: Recorded): void;
  /** Marks a row as changed; all rows of one store are written in one statement at the end. */
  save<Row>(store: RowStore<Row>, key: string, row: Row): void;
  /** The row as this unit has saved it, which no statement shows before the end. */
  savedRow<Row>(store: RowStore<Row>, key: string): Row | undefined;
};

export type Recorded = {
  type: string;
  actor: string;
  at: number;
  /** Ids, codes, numbers and times only. It outlives an erasure. */
  data: Record<string, unknown>;
  /** Free text, names, numbers, Meta's message ids: sealed, gone when the person is erased. */
  personal?: Record<string, unknown> | undefined;
  announce?: Omit<Announcement, 'bucket' | 'accountId' | 'contactId' | 'at'>;
};

/** Writes many rows of one table at once; inserts or replaces by primary key. */
export type RowStore<Row> = { saveAll(tx: Tx, rows: readonly Row[]): Promise<void> };

/** What a unit needs from outside. */
export type UnitPorts = { clock: Clock; ids: Ids; changes: Changes };
export type LedgerPorts = UnitPorts & { database: Database };

/** Runs `work` on one contact in a transaction of its own. */
export function onContact<T>(
  ports: LedgerPorts,
  contactId: ContactId,
  work: (unit: ContactUnit) => Promise<T>,
): Promise<T> {
  return ports.database.transaction((tx) => withContact(ports, tx, contactId, work));
}

/** Runs `work` on one contact inside a transaction that is already open. */
export async function withContact<T>(
  ports: UnitPorts,
  tx: Tx,
  contactId: ContactId,
  work: (unit: ContactUnit) => Promise<T>,
): Promise<T> {
  const [locked] = await lockContacts(tx, [contactId]);
  invariant(locked !== undefined, `contact ${contactId} does not exist`);
  const unit = new PendingUnit(tx, locked, ports.clock.now(), ports.ids);
  const result = await work(unit);
  await commitUnits(tx, ports, [unit]);
  return result;
}

/** A unit whose contact is locked and whose changes wait to be written by `commitUnits`. */
export class PendingUnit implements ContactUnit {
  readonly tx: Tx;
  readonly contact: Contact;
  readonly liveRuns: number;
  readonly absorbed: PendingUnit[] = [];
  readonly now: number;
  readonly ids: Ids;
  readonly locked: LockedContact;
  readonly recorded: Recorded[] = [];
  readonly staged = new Map<RowStore<unknown>, Map<string, unknown>>();

  constructor(tx: Tx, locked: LockedContact, now: number, ids: Ids) {
    this.tx = tx;
    this.locked = locked;
    this.contact = locked.contact;
    this.liveRuns = locked.liveRuns;
    this.now = now;
    this.ids = ids;
  }

  record(entry: Recorded): void {
    this.recorded.push(entry);
  }

  save<Row>(store: RowStore<Row>, key: string, row: Row): void {
    const rows = this.staged.get(store) ?? new Map<string, unknown>();
    rows.set(key, row);
    this.staged.set(store, rows);
  }

  savedRow<Row>(store: RowStore<Row>, key: string): Row | undefined {
    return this.staged.get(store)?.get(key) as Row | undefined;
  }
}

/** Writes what the units decided: one statement per table, however many units there are. */
export async function commitUnits(
  tx: Tx,
  ports: Pick<UnitPorts, 'ids' | 'changes'>,
  units: readonly PendingUnit[],
): Promise<void> {
  const rowsByStore = new Map<RowStore<unknown>, unknown[]>();
  for (const unit of units) {
    for (const [store, rows] of unit.staged) {
      rowsByStore.set(store, [...(rowsByStore.get(store) ?? []), ...rows.values()]);
    }
  }
  // No write needs what another one answers, so all of them are on their way at once.
  const saved = [...rowsByStore].map(([store, rows]) => store.saveAll(tx, rows));
  const touched = units.filter((unit) => unit.recorded.length > 0);
  const chains = touched.map((unit) => chain(unit.locked.head, entriesOf(unit)));
  const heads = chains.map((entries, index) => {
    const last = entries.at(-1);
    const unit = touched[index];
    invariant(last !== undefined && unit !== undefined, 'a touched unit has entries');
    return { contact: unit.contact, head: { sequence: last.sequence, hash: last.hash } };
  });
  await Promise.all([
    ...saved,
    ...(touched.length === 0 ? [] : [insertEntries(tx, chains.flat()), saveChainHeads(tx, heads)]),
    announceAll(tx, ports.ids, touched.flatMap(announcementsOf)),
    // Last, so that it finds the runs as they were saved above.
    wakeJourneys(tx, touched),
  ]);
  tx.afterCommit(() => {
    for (const unit of touched) for (const change of changesOf(unit)) ports.changes.publish(change);
  });
}

/** A person on a journey is looked at again when something happened that it may wait for. */
async function wakeJourneys(tx: Tx, units: readonly PendingUnit[]): Promise<void> {
  const woken = units.filter(
    ({ liveRuns, recorded }) => liveRuns > 0 && recorded.some(({ type }) => WAKING.has(type)),
  );
  if (woken.length === 0) return;
  const ids = woken.map(({ contact }) => contact.id);
  await wakeRuns(tx, ids, Math.max(...woken.map(({ now }) => now)));
}

function entriesOf(unit: PendingUnit): LedgerEntry[] {
  const { id: contactId, accountId, bucket } = unit.contact;
  const { head, key } = unit.locked;
  return unit.recorded.map(({ type, actor, at, data, personal }, index) => {
    const id = unit.ids.next('event', bucket);
    const sequence = head.sequence + index + 1;
    // Of an erased person the bare fact is recorded, for there is nobody left to seal it for.
    const sealed = personal === undefined || key === null ? null : key.sealThing(id, personal);
    return { id, accountId, contactId, sequence, type, actor, at, data, sealed };
  });
}

function changesOf(unit: PendingUnit): Change[] {
  const { id: contactId, accountId } = unit.contact;
  return unit.recorded.map(({ type, at, data }) => {
    const callId = typeof data['callId'] === 'string' ? (data['callId'] as CallId) : null;
    return { type, accountId, contactId, callId, at };
  });
}

function announcementsOf(unit: PendingUnit): Announcement[] {
  const { id: contactId, accountId, bucket } = unit.contact;
  return unit.recorded.flatMap(({ announce, at }) =>
    announce === undefined ? [] : [{ ...announce, bucket, accountId, contactId, at }],
  );
}
