import { findByHandles } from '../contacts/contact-handle-store.ts';
import { lockContacts } from '../contacts/contact-store.ts';
import { handlesOfContact, type Handle } from '../contacts/contact.ts';
import { addHandles, entriesOfHandles } from '../contacts/do-not-call-store.ts';
import type { Tx } from '../database/database.ts';
import { joinAbsorbed } from '../identity/person-unit.ts';
import type { ImportTaker, StoredImport } from '../imports/imports.ts';
import { PendingUnit, commitUnits } from '../ledger/contact-unit.ts';
import { stopCalling, type DoNotCallPorts } from './do-not-call-commands.ts';
import type { ListImport } from './do-not-call.ts';
import { readRows } from './import-rows.ts';
import { recordInRegister } from './register-commands.ts';

/** Takes files of numbers that may not be called. */
export function listImports(ports: DoNotCallPorts): ImportTaker<ListImport, Handle> {
  return {
    kind: 'do_not_call',
    read: (rows, { column, country }) => readRows(rows, { column, country }),
    personOf: (handle) => handle,
    async settle(tx, job, named) {
      const handles = [...new Set(named)];
      const added = job.dryRun
        ? await countNew(tx, ports, job, handles)
        : await listAll(tx, ports, job, handles);
      return { added, changed: 0, already: named.length - added };
    },
    ended: (tx, job) => recordImport(tx, ports, job),
  };
}

/** A file changes more than contacts that we know, so the account's own chain tells of it. */
async function recordImport(
  tx: Tx,
  ports: DoNotCallPorts,
  job: StoredImport<ListImport>,
): Promise<void> {
  if (job.dryRun) return;
  const { id, accountId, rows, added, already, failed, error } = job;
  const { list } = job.wish;
  const data = { importId: id, list, rows, added, already, failed, error: error?.code ?? null };
  const actor = `import:${id}`;
  await recordInRegister(tx, ports, accountId, { type: 'DoNotCallImported', actor, data });
}

async function countNew(
  tx: Tx,
  ports: DoNotCallPorts,
  { accountId, wish }: StoredImport<ListImport>,
  handles: readonly Handle[],
): Promise<number> {
  const entries = await entriesOfHandles(tx, ports.doNotCallKey, accountId, handles);
  const listed = new Set(entries.filter(({ list }) => list === wish.list).map((it) => it.handle));
  return handles.length - listed.size;
}

/** Lists everybody of one batch; contacts that we know are locked first, and stopped with it. */
async function listAll(
  tx: Tx,
  ports: DoNotCallPorts,
  { id, accountId, wish: { list } }: StoredImport<ListImport>,
  handles: readonly Handle[],
): Promise<number> {
  const now = ports.clock.now();
  const known = await findByHandles(tx, accountId, handles);
  const locked = await lockContacts(tx, [...new Set(known.values())]);
  const units = locked.map((lock) => new PendingUnit(tx, lock, now, ports.ids));
  const absorbed = await joinAbsorbed(tx, units);
  const theirs = units.flatMap(({ contact }) => handlesOfContact(contact));
  const all = [...new Set([...handles, ...theirs])];
  const entry = { list, reason: 'imported', source: 'import' };
  const key = ports.doNotCallKey;
  const added = await addHandles(tx, key, accountId, all, { ...entry, now });
  const newly = units.filter(({ contact }) =>
    handlesOfContact(contact).some((it) => added.has(it)),
  );
  if (newly.length > 0) {
    const listing = { ...entry, by: 'operator', actor: `import:${id}` } as const;
    await stopCalling(tx, ports, newly, listing);
    await commitUnits(tx, ports, [...newly, ...absorbed]);
  }
  return handles.filter((handle) => added.has(handle)).length;
}
