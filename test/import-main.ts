import { contactImports } from '../src/contacts/contact-import-commands.ts';
import { openDatabase } from '../src/database/database.ts';
import { workOffOne } from '../src/imports/import-worker.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog as log } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openVault } from '../src/platform/vault.ts';

/** A process that does nothing but take files of contacts, for a test that kills it. */
export type ImportArguments = [connection: string, dataKeyHex: string];

const [connection, dataKey] = process.argv.slice(2) as ImportArguments;
const vault = openVault(Buffer.from(dataKey, 'hex'), systemRandom);
const database = openDatabase({ connection, log, vault });
const ledger = { database, clock, ids: makeIds(clock, systemRandom), changes: makeChanges() };
const owner = `process-${process.pid}`;
await workOffOne({ ...ledger, log, owner }, contactImports(ledger));
await database.close();
