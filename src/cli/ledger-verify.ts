import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const VERIFIER = join(import.meta.dirname, '../../bin/ledger-verify.mjs');

/** `askfirst ledger verify FILE`: hands over to the verifier, in a process of its own. */
export function verifyLedger(file: string | undefined, json: boolean): number {
  const args = [VERIFIER, ...(json ? ['--json'] : []), ...(file === undefined ? [] : [file])];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}
