import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { makeCheckpointSigner } from '../src/checkpoints/checkpoints.ts';
import { allTiles, growTree, leafHash, tileKey } from '../src/checkpoints/tree.ts';
import { chain, type LedgerEntry } from '../src/ledger/ledger.ts';
import { bareEntryView } from '../src/ledger/ledger-views.ts';
import { systemClock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';

/**
 * A ledger export of so many events, as the API would write it, without a database: people with
 * twenty entries each, all under one checkpoint.
 */
const ENTRIES_EACH = 20;
const NO_HEAD = { sequence: 0, hash: new Uint8Array() };

export async function writeExport(path: string, events: number): Promise<void> {
  const ids = makeIds(systemClock, seededRandom(1));
  const accountId = ids.next('account');
  const contacts = Array.from({ length: Math.ceil(events / ENTRIES_EACH) }, () =>
    ids.next('contact'),
  ).sort();
  const random = seededRandom(2);
  const at = systemClock.now();
  const entriesOf = (contactId: (typeof contacts)[number]) => {
    const entries = Array.from({ length: ENTRIES_EACH }, (_, index): LedgerEntry => {
      const data = { lineId: contactId, code: 'permission_pending', index, allowedAt: at + index };
      const id = `evt_${contactId.slice(5, -6)}${String(index).padStart(6, '0')}` as never;
      const named = { id, accountId, contactId, sequence: index + 1, type: 'CallBlocked' };
      return { ...named, actor: 'api:key_bench', at: at + index, data, sealed: SEALED };
    });
    return chain(NO_HEAD, entries);
  };
  const leaves = contacts.flatMap((id) => entriesOf(id).map(({ hash }) => leafHash(hash)));
  const { size, root, changed } = growTree(0, new Map(), leaves);
  const signer = makeCheckpointSigner(random.bytes(32));
  const note = signer.sign({ accountId, size, root, at });
  const file = createWriteStream(path);
  const write = async (value: unknown): Promise<void> => {
    if (!file.write(`${JSON.stringify(value)}\n`)) await once(file, 'drain');
  };
  const verifierKey = signer.verifierKey(accountId);
  const generatedAt = new Date(at).toISOString();
  await write({
    format: 'askfirst-ledger-2',
    generatedAt,
    accountId,
    after: null,
    verifierKey,
    note,
  });
  for (const { level, tile } of [...allTiles(size)].sort((a, b) => b.level - a.level)) {
    const bytes = changed.get(tileKey({ level, tile })) ?? new Uint8Array();
    await write({ tile: [level, tile], hashes: Buffer.from(bytes).toString('base64') });
  }
  for (const [index, contactId] of contacts.entries()) {
    const entries = entriesOf(contactId);
    const last = entries.at(-1)?.hash ?? new Uint8Array();
    const head = { sequence: ENTRIES_EACH, hash: Buffer.from(last).toString('hex') };
    await write({ contactId, head, runs: [[1, ENTRIES_EACH, index * ENTRIES_EACH]] });
    for (const entry of entries) {
      await write(bareEntryView({ ...entry, personal: null, sealKey: null }));
    }
  }
  await write({ end: { contacts: contacts.length, entries: size } });
  file.end();
  await once(file, 'close');
}

const SEALED = seededRandom(3).bytes(120);
