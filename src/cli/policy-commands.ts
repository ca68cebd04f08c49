import type { Command } from 'commander';
import { request } from 'undici';
import type { Problem } from '../http/api-types.ts';
import { Failure, errorText } from '../platform/failure.ts';
import { diffPacks, type PackDifference } from '../policy/pack-diff.ts';
import { makePolicyPacks } from '../policy/policy-packs.ts';
import { comparable, readAnyPack, type AnyPack } from '../rulebook/packs.ts';
import type { ReportView } from '../rulebook/rulebook-views.ts';
import { checkPolicyPacks } from './policy-check.ts';

type Target = { url?: string; key?: string };
type ReportOptions = Target & {
  line?: string;
  to?: string;
  laws?: string;
  examples: string;
  json?: boolean;
};
type SwitchOptions = Target & { line: string; to: string; report: string };

type Write = (text: string) => void;

/** `askfirst policy …`: check, compare, look ahead, switch. `write` takes what is data. */
export function addPolicyCommands(
  program: Command,
  localUrl: string,
  write: Write = (text) => void process.stdout.write(text),
): void {
  const policy = program.command('policy').description('Packs of rules, and the laws beside them.');
  const url = process.env['ASKFIRST_URL'] ?? localUrl;

  policy
    .command('check')
    .argument('[pack]', 'name of a pack or law; all of them if left out')
    .description('Read packs and laws, and run the test vectors they carry.')
    .action((pack: string | undefined) => {
      process.exitCode = checkPolicyPacks(pack);
    });

  policy
    .command('diff')
    .argument('<from>', 'name of a pack or law')
    .argument('<to>', 'name of a pack or law')
    .option('--json', 'print one JSON object')
    .description('Tell what differs between two packs or laws of this release.')
    .action((from: string, to: string, options: { json?: boolean }) => {
      process.exitCode = told(() => write(diffCommand(from, to, options.json === true)));
    });

  policy
    .command('report')
    .option('--line <id>', 'the line; may be left out where there is only one')
    .option('--to <pack>', 'the pack to compare with')
    .option('--laws <choice>', 'automatic, off, or names with commas between')
    .option('--examples <n>', 'examples of each kind', '5')
    .option('--url <url>', 'address of the server', url)
    .option('--key <key>', 'API key; else ASKFIRST_API_KEY')
    .option('--json', 'print one JSON object')
    .description('Tell what a switch would change, and for whom. Changes nothing.')
    .action(async (options: ReportOptions) => {
      process.exitCode = await toldLater(async () => write(await reportCommand(options)));
    });

  policy
    .command('switch')
    .requiredOption('--line <id>', 'the line')
    .requiredOption('--to <pack>', 'the pack')
    .requiredOption('--report <id>', 'the report that was read, made within the last hour')
    .option('--url <url>', 'address of the server', url)
    .option('--key <key>', 'API key; else ASKFIRST_API_KEY')
    .description('Put a line under another pack.')
    .action(async (options: SwitchOptions) => {
      process.exitCode = await toldLater(async () => write(await switchCommand(options)));
    });
}

function diffCommand(from: string, to: string, json: boolean): string {
  const packs = makePolicyPacks();
  const read = (name: string): AnyPack => {
    const pack = readAnyPack(packs, name);
    if (pack !== null) return pack;
    const known = [...packs.names(), ...packs.laws().map((law) => law.name)];
    throw new Failure({
      code: 'policy_pack_unusable',
      message: `There is no pack or law named "${name}".`,
      fix: `Known are: ${known.join(', ')}.`,
      verdict: 'terminal',
      side: 'client',
    });
  };
  const differences = diffPacks(comparable(read(from)), comparable(read(to)));
  if (json) return `${JSON.stringify({ from, to, differences })}\n`;
  const lines = differences.map((difference) => `${differenceLine(difference)}\n`);
  return `${lines.join('')}${differences.length} differences from ${from} to ${to}\n`;
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

function differenceLine({ path, change, from, to }: PackDifference): string {
  const [old, now] = [JSON.stringify(from), JSON.stringify(to)];
  const what = change === 'added' ? now : change === 'removed' ? old : `${old} → ${now}`;
  return `${SIGNS[change]} ${path}: ${what}`;
}

async function reportCommand(options: ReportOptions): Promise<string> {
  const { line, to, laws, examples, json } = options;
  const named = laws === 'automatic' || laws === 'off' ? laws : laws?.split(',');
  const report = (await post(options, '/v1/policy/switch-report', {
    ...(line === undefined ? {} : { lineId: line }),
    ...(to === undefined ? {} : { policyPack: to }),
    ...(named === undefined ? {} : { lawOverlays: named }),
    examples: Number(examples),
  })) as ReportView;
  return json === true ? `${JSON.stringify(report)}\n` : reportText(report);
}

function reportText(report: ReportView): string {
  const { before, after, permissions, calls, contacts } = report;
  const rows = [
    `Line ${report.lineId}: ${rulesText(before)} → ${rulesText(after)}`,
    `${report.contactsChecked} contacts looked at; nothing was changed.`,
    `Permissions that would end earlier: ${permissions.earlier} ` +
      `(${permissions.endAtOnce} of them at once)`,
    ...permissions.examples.map(
      (it) => `  ${it.permissionId}: ${it.expiresAt ?? 'no end'} → ${it.wouldExpireAt}`,
    ),
    `Queued calls that would be refused: ${calls.refused}${byRule(calls.byRule)}`,
    ...calls.examples.map((it) => `  ${it.callId} at ${it.dueAt}: ${it.message} (${it.layer})`),
    `Contacts that could not be asked any more: ${contacts.barred}${byRule(contacts.byRule)}`,
    ...contacts.examples.map((it) => `  ${it.contactId}: ${it.message} (${it.layer})`),
    `Contacts that could be asked only later: ${contacts.delayed}`,
    `Contacts that could be asked again: ${contacts.freed}`,
    `Report ${report.id}, valid until ${report.validUntil}.`,
  ];
  return `${rows.join('\n')}\n`;
}

function rulesText({ policyPack, lawOverlays }: ReportView['before']): string {
  return `${policyPack} (laws: ${String(lawOverlays)})`;
}

function byRule(counts: Record<string, number>): string {
  const parts = Object.entries(counts).map(([rule, count]) => `${rule} ${count}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

async function switchCommand(options: SwitchOptions): Promise<string> {
  const { line, to: policyPack, report: reportId } = options;
  await post(options, `/v1/lines/${line}/policy-pack`, { policyPack, reportId });
  return `Line ${line} is under ${policyPack} now.\n`;
}

async function post(target: Target, path: string, body: object): Promise<unknown> {
  const key = target.key ?? process.env['ASKFIRST_API_KEY'] ?? '';
  const answer = await request(`${target.url ?? ''}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // A report reads every contact before it says a word.
    headersTimeout: 0,
    bodyTimeout: 0,
  }).catch((cause: unknown) => {
    throw new Failure({
      code: 'server_unreachable',
      message: `No answer from ${target.url ?? ''}: ${errorText(cause)}`,
      fix: 'Start the server, and give its address (--url) and a key (--key).',
      verdict: 'retryable',
      side: 'client',
      cause,
    });
  });
  const value = await answer.body.json();
  if (answer.statusCode < 300) return value;
  const { code, detail, fix } = value as Problem;
  throw new Failure({ code, message: detail, fix, verdict: 'terminal', side: 'client' });
}

function told(work: () => void): number {
  try {
    work();
    return 0;
  } catch (error) {
    return tell(error);
  }
}

async function toldLater(work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    return tell(error);
  }
}

function tell(error: unknown): number {
  const fix = error instanceof Failure ? `\n${error.fix}` : '';
  process.stderr.write(`${errorText(error)}${fix}\n`);
  return 1;
}
