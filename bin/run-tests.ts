import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

import { systemClock } from '../src/platform/clock.ts';
import { startTestServer } from '../test/database.ts';
import { programPath } from '../test/peers.ts';
import { databaseTier, groupsOf, lanesOf, usesDatabase, type Tier } from './test-tiers.ts';

/**
 * `npm test`: installs the programs that interop tests talk to where it may, starts a database
 * server, and runs node's own test runner in the tiers of `test-tiers.ts`. Foreign programs keep
 * real time: where one of their files fails, it is tried once more with nothing beside it, and
 * what passes only then is named at the end.
 *
 *   npm test                         everything
 *   npm test -- src/sip consent      only files whose path contains one of the words
 *   npm test -- --postgres=15        only the database tier, on Debian's PostgreSQL 15
 */
type Totals = Record<(typeof COUNTS)[number], number>;
type TierResult = { tier: Tier; code: number; counts: Totals; failures: string[]; files: string[] };

const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
const NONE: Totals = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
const root = dirname(import.meta.dirname);
const COMPILED = join(root, 'node_modules', '.cache', 'node-compile');
const GROUP = pathToFileURL(join(import.meta.dirname, 'test-group.ts')).href;

/** Program a test looks for, and Debian's packages that have it. */
const PEERS: readonly (readonly [program: string, aptPackages: string])[] = [
  ['sipp', 'sip-tester'],
  ['baresip', 'baresip'],
  ['espeak-ng', 'espeak-ng'],
  ['kamailio', 'kamailio kamailio-tls-modules'],
  ['chromium', 'chromium'],
  ['opusdec', 'opus-tools'],
  ['rtpengine', 'rtpengine-daemon'],
  ['ip', 'iproute2'],
];
/** A tier that is not done by then hangs; all of them together must stay below CI's limit. */
const TIER_TIMEOUT_MS = 30 * 60_000;
/** More files than this do not fail by chance. */
const SECOND_TRIES_MAX = 3;

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const postgres = process.argv.find((word) => word.startsWith('--postgres='))?.split('=')[1];

const programs = postgres === undefined ? undefined : `/usr/lib/postgresql/${postgres}/bin`;
if (programs !== undefined && !existsSync(programs)) {
  console.error(`${programs} is missing: apt-get install postgresql-${postgres}`);
  process.exit(1);
}
/** For the files that `groupFiles` writes. */
const folder = mkdtempSync(join(tmpdir(), 'askfirst-test-groups-'));
let groupsMade = 0;
let stopped = false;
const running = new Set<ChildProcess>();
const servers = new Map<number, ReturnType<typeof startTestServer>>();
const skipped: string[] = [];
const lanes = chooseLanes();
if (lanes.flat().some((tier) => tier.name.startsWith('interop'))) installPeers();
process.exitCode = await runAll(lanes);

function chooseLanes(): Tier[][] {
  const all = globSync('{src,simulator,web,bench,bin,test}/**/*.test.ts', {
    cwd: root,
    exclude: ['**/node_modules/**', 'web/dist/**'],
  })
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
  if (all.length === 0) {
    console.error(`No test file matches ${words.join(' ')}.`);
    process.exit(1);
  }
  return postgres === undefined ? lanesOf(all) : [[databaseTier(all, postgres)]];
}

/** Only as root (or in CI) is a machine ours to change; elsewhere the tests say what they miss. */
function installPeers(): void {
  const missing = PEERS.filter(([program]) => programPath(program) === undefined);
  if (missing.length === 0) return;
  const packages = missing.flatMap(([, aptPackages]) => aptPackages.split(' '));
  const line = `apt-get install ${packages.join(' ')}`;
  const mayInstall = process.getuid?.() === 0 || process.env['CI'] === 'true';
  if (!mayInstall || programPath('apt-get') === undefined) {
    console.log(`Some interop tests will be skipped. To run them: ${line}`);
    return;
  }
  console.log(`Installing for the interop tests: ${line} …`);
  if (aptListsEmpty()) apt(['update']);
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  // Lists that are too old name packages that are gone; one update helps.
  if (apt(install) || (apt(['update']) && apt(install))) return;
  console.log(`The installation failed; the tests that need it are skipped. By hand: ${line}`);
}

function aptListsEmpty(): boolean {
  try {
    return !readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
  } catch {
    return true;
  }
}

function apt(args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...args], { env, stdio: 'ignore' }).status === 0;
}

async function runAll(all: Tier[][]): Promise<number> {
  const startedAt = systemClock.monotonic();
  // The terminal sends Ctrl-C to the tests as well; we stay until the database is down.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      stopped = true;
      for (const child of running) child.kill();
    });
  }
  const results: TierResult[] = [];
  let again: TierResult | null = null;
  try {
    results.push(...(await runLanes(all)));
    const unlucky = results.filter(({ tier, code }) => tier.isTimed === true && code !== 0);
    again = await secondTry(unlucky.flatMap(({ files }) => files));
    if (again?.code === 0) for (const result of unlucky) passAfterAll(result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    for (const server of servers.values()) await (await server).release();
  }
  if (skipped.length > 0) console.log(`\nskipped:\n${skipped.join('\n')}`);
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) {
    console.log(again?.code === 0 ? '\npassed only at the second try, or failed:' : '\nfailed:');
    console.log(failures.join('\n'));
  }
  console.log('\nall tiers together:');
  for (const name of COUNTS) {
    console.log(`# ${name} ${results.reduce((sum, { counts }) => sum + counts[name], 0)}`);
  }
  console.log(`# duration_ms ${Math.round(systemClock.monotonic() - startedAt)}`);
  return stopped || results.some(({ code }) => code !== 0) ? 1 : 0;
}

/** The files that failed, with nothing beside them; null where there is nothing to try. */
async function secondTry(files: string[]): Promise<TierResult | null> {
  if (stopped || files.length === 0 || files.length > SECOND_TRIES_MAX) return null;
  const [tier] = lanesOf(files).flat();
  if (tier === undefined) return null;
  return runTier({ ...tier, name: 'second try', files, wide: 1 }, (line) => console.log(line));
}

/** What failed beside other work has passed alone: it counts, and stays listed by name. */
function passAfterAll(result: TierResult): void {
  const { counts } = result;
  result.code = 0;
  counts.pass += counts.fail + counts.cancelled;
  counts.fail = 0;
  counts.cancelled = 0;
}

/** What a later lane says is kept until the first one is over. */
async function runLanes(all: Tier[][]): Promise<TierResult[]> {
  let kept: string[] | null = [];
  const results = await Promise.all(
    all.map(async (lane, nth) => {
      const tell = (line: string): void => {
        if (nth === 0 || kept === null) console.log(line);
        else kept.push(line);
      };
      const ofLane: TierResult[] = [];
      for (const tier of lane) if (!stopped) ofLane.push(await runTier(tier, tell));
      if (nth > 0) return ofLane;
      for (const line of kept ?? []) console.log(line);
      kept = null;
      return ofLane;
    }),
  );
  return results.flat();
}

/** The server of all tiers of that niceness; none when one is given, or none of them asks. */
async function serverUrl(tier: Tier): Promise<string | undefined> {
  const isGiven = (process.env['ASKFIRST_TEST_DATABASE_URL'] ?? '') !== '';
  if (isGiven || !tier.files.some(usesDatabase)) return undefined;
  const niceness = tier.niceness ?? 0;
  const server = servers.get(niceness) ?? startTestServer(programs, niceness);
  servers.set(niceness, server);
  return (await server).url;
}

/** Runs one tier and keeps node's closing lines. */
async function runTier(tier: Tier, tell: (line: string) => void): Promise<TierResult> {
  // A process for each file reads the same thousand files; their types are stripped only once.
  const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: COMPILED, ...process.env };
  const database = await serverUrl(tier);
  if (database !== undefined) env['ASKFIRST_TEST_DATABASE'] = database;
  tell(`\n── ${tier.name}: ${tier.files.length} files`);
  const groups = groupFiles(tier);
  const child = spawn(
    process.execPath,
    ['--test', '--test-reporter=spec', ...optionsOf(tier), ...groups.keys()],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  running.add(child);
  if (child.pid !== undefined) setPriority(child.pid, tier.niceness ?? 0);
  const limit = systemClock.after(TIER_TIMEOUT_MS, () => {
    console.error(`The ${tier.name} tier is not done after half an hour and is ended.`);
    child.kill('SIGKILL');
  });
  const ended = new Promise<number>((done) => child.once('close', (code) => done(code ?? 1)));
  const counts: Totals = { ...NONE };
  const failures: string[] = [];
  const files = new Set<string>();
  let isOver = false;
  for await (const line of createInterface({ input: child.stdout })) {
    tell(line);
    const count = /^ℹ (\w+) (\d+)$/.exec(line);
    const name = COUNTS.find((known) => known === count?.[1]);
    if (name !== undefined) counts[name] += Number(count?.[2]);
    if (/^\s*﹣ /.test(line)) skipped.push(line.trim());
    if (isOver) failures.push(line);
    isOver ||= line === '✖ failing tests:';
    const place = isOver ? /^test at (.+?):\d+:\d+$/.exec(line)?.[1] : undefined;
    // A process that ends in a stray error names only what it was started with.
    for (const [path, played] of groups) {
      const isGroup = place !== undefined && resolve(root, place) === path;
      for (const file of played) if (isGroup || place === file) files.add(file);
    }
  }
  const code = await ended;
  limit.cancel();
  running.delete(child);
  return { tier, code, counts, failures, files: [...files] };
}

/** The limit of a file holds in its group (`test-group.ts`); a group may take as long as a tier. */
function optionsOf({ wide, forceExit }: Tier): string[] {
  const options = [`--test-concurrency=${wide}`, `--test-timeout=${TIER_TIMEOUT_MS}`];
  return forceExit === true ? [...options, '--test-force-exit'] : options;
}

/** Writes a file for each process of a tier, which plays the test files it was dealt. */
function groupFiles(tier: Tier): Map<string, string[]> {
  const groups = groupsOf(tier).map((files): [string, string[]] => {
    groupsMade += 1;
    // Node takes them in the order of their names.
    const path = join(folder, `${`${groupsMade}`.padStart(6, '0')}.test.mjs`);
    const query = new URLSearchParams(
      files.map((file): [string, string] => ['file', join(root, file)]),
    );
    query.append('timeoutMs', `${tier.fileTimeoutMs}`);
    writeFileSync(path, `await import(${JSON.stringify(`${GROUP}?${query.toString()}`)});\n`);
    return [path, files];
  });
  return new Map(groups);
}
