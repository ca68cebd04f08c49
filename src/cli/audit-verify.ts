import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const VERIFIER = join(import.meta.dirname, '../../bin/audit-verify.mjs');

export type VerifyAudit = { json?: boolean; earlier?: string };

/** `askfirst audit verify FILE`: hands over to the verifier, in a process of its own. */
export function verifyAudit(file: string | undefined, options: VerifyAudit): number {
  const args = [VERIFIER];
  if (options.json === true) args.push('--json');
  if (options.earlier !== undefined) args.push('--earlier', options.earlier);
  if (file !== undefined) args.push(file);
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}
