import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { errorText } from '../platform/failure.ts';
import { systemRandom } from '../platform/random.ts';
import { makeApiClient } from './api-client.ts';

const VERIFIER = join(import.meta.dirname, '../../bin/audit-verify.mjs');

type VerifyOptions = { json?: boolean; key?: string; checkpoints?: string; earlier?: string };

/** `askfirst audit verify` and `askfirst audit key`. */
export function addAuditCommands(program: Command, localUrl: string): void {
  const audit = program.command('audit').description('The record of what happened.');
  audit
    .command('verify')
    .argument('[file]', 'evidence bundle, proof or ledger export; stdin if left out')
    .option('--key <key>', 'the public key of the checkpoints, or a file that holds it')
    .option('--checkpoints <file>', 'checkpoints that were kept elsewhere')
    .option('--earlier <copy>', 'an older bundle or export, whose entries must all still be there')
    .option('--json', 'print one JSON object')
    .description('Check that nothing in a record was changed, with a program of its own.')
    .action((file: string | undefined, options: VerifyOptions) => {
      process.exitCode = verifyAudit(file, options);
    });
  audit
    .command('key')
    .description('Print the public key that checkpoints of the ledger are checked with.')
    .option('--url <url>', 'address of the server', process.env['ASKFIRST_URL'] ?? localUrl)
    .option('--key <key>', 'API key (or ASKFIRST_API_KEY)')
    .action(async (options: { url: string; key?: string }) => {
      const apiKey = options.key ?? process.env['ASKFIRST_API_KEY'] ?? '';
      process.exitCode = await printKey(options.url.replace(/\/+$/, ''), apiKey);
    });
}

/** Hands over to the verifier, in a process of its own that loads nothing of the server. */
function verifyAudit(file: string | undefined, options: VerifyOptions): number {
  const args = [VERIFIER];
  if (options.json === true) args.push('--json');
  for (const name of ['key', 'checkpoints', 'earlier'] as const) {
    const value = options[name];
    if (value !== undefined) args.push(`--${name}`, value);
  }
  if (file !== undefined) args.push(file);
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}

async function printKey(url: string, apiKey: string): Promise<number> {
  try {
    const api = makeApiClient(url, apiKey, systemRandom);
    const { verifierKey } = await api.get<{ verifierKey: string }>('/v1/ledger/checkpoints/key');
    process.stdout.write(`${verifierKey}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`No answer from ${url}: ${errorText(error)}\n`);
    return 1;
  }
}
