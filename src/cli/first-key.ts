import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureAccount } from '../accounts/account-store.ts';
import type { Database, Tx } from '../database/database.ts';
import { createApiKey, findApiKey, hashOfApiKey, type ApiKeyMode } from '../http/api-keys-store.ts';
import { systemClock } from '../platform/clock.ts';
import type { AccountId, Ids } from '../platform/ids.ts';
import { systemRandom } from '../platform/random.ts';

type KeyPorts = { tx: Tx; ids: Ids; dataDir: string };

/** The file in the data folder that holds an installation's first key, readable by its owner. */
export const keyFile = (dataDir: string, mode: ApiKeyMode): string =>
  join(dataDir, mode === 'test' ? 'sandbox-key' : 'api-key');

/** The account's first API key: made once, kept in the data folder, the same at every start. */
export async function keepApiKey(
  ports: KeyPorts,
  spec: { accountId: AccountId; name: string; mode: ApiKeyMode },
): Promise<string> {
  const file = keyFile(ports.dataDir, spec.mode);
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  const known = kept === '' ? undefined : await findApiKey(ports.tx, hashOfApiKey(kept));
  if (known !== undefined && known.revoked_at === null) return kept;
  const from = { ids: ports.ids, random: systemRandom };
  const { key } = await createApiKey(ports.tx, { ...spec, now: systemClock.now() }, from);
  // A key of another database stays at hand: it may be the only copy.
  if (kept !== '') await writeFile(`${file}.old`, `${kept}\n`, { mode: 0o600 });
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  return key;
}

/** Without the simulator: an account to begin with, and its key. */
export function ensureFirstAccount(
  database: Database,
  ports: Omit<KeyPorts, 'tx'>,
): Promise<string> {
  return database.transaction(async (tx) => {
    const accountId = await ensureAccount(tx, ports.ids, 'Default');
    return keepApiKey({ ...ports, tx }, { accountId, name: 'First key', mode: 'live' });
  });
}
