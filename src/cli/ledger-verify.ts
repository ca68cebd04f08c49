import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const VERIFIER = join(import.meta.dirname, '../../bin/ledger-verify.mjs');

export type VerifyLedger = { json?: boolean; earlier?: string };

/** `askfirst ledger verify FILE`: hands over to the verifier, in a process of its own. */
export function verifyLedger(file: string | undefined, options: VerifyLedger): number {
  const args = [VERIFIER];
  if (options.json === true) args.push('--json');
  if (options.earlier !== undefined) args.push('--earlier', options.earlier);
  if (file !== undefined) args.push(file);
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}
