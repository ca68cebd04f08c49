import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { systemClock } from '../src/platform/clock.ts';
import { startTestServer } from '../test/database.ts';
import { programPath } from '../test/peers.ts';

/**
 * `npm test`: installs the programs that interop tests talk to where it may, starts one database
 * server for all files, and runs node's own test runner in tiers. The tests of pure code
 * share one process, because starting 200 processes would take longer than all of them; the
 * others get a process per file, so that nothing one leaves behind can help another.
 *
 *   npm test                         everything
 *   npm test -- src/sip consent      only files whose path contains one of the words
 *   npm test -- --postgres=15        only the database tier, on Debian's PostgreSQL 15
 */
type Tier = { name: string; files: string[]; options: string[] };

type Totals = Record<(typeof COUNTS)[number], number>;

const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
const root = dirname(import.meta.dirname);
const COMPILED = join(root, 'node_modules', '.cache', 'node-compile');
const TWO_WIDE = ['--test-concurrency=2', '--test-timeout=120000'];

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

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const postgres = process.argv.find((word) => word.startsWith('--postgres='))?.split('=')[1];

const programs = postgres === undefined ? undefined : `/usr/lib/postgresql/${postgres}/bin`;
if (programs !== undefined && !existsSync(programs)) {
  console.error(`${programs} is missing: apt-get install postgresql-${postgres}`);
  process.exit(1);
}
let stopped = false;
let running: ChildProcess | undefined;
const databaseUsers = new Map<string, boolean>();
const tiers = chooseTiers();
if (tiers.some((tier) => tier.name.startsWith('interop'))) installPeers();
process.exitCode = await runAll(tiers);

function chooseTiers(): Tier[] {
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
  const interop = all.filter((file) => file.endsWith('.interop.test.ts'));
  const stories = all.filter((file) => !interop.includes(file) && isStory(file));
  const others = all.filter((file) => !interop.includes(file) && !stories.includes(file));
  const database = others.filter((file) => usesDatabase(file));
  const pure = others.filter((file) => !usesDatabase(file));
  const onDatabase = [...database, ...interop.filter(isStore)];
  if (postgres !== undefined) {
    return [{ name: `database on PostgreSQL ${postgres}`, files: onDatabase, options: TWO_WIDE }];
  }
  return [
    { name: 'pure', files: pure, options: ['--test-isolation=none', '--test-timeout=30000'] },
    { name: 'database', files: database, options: TWO_WIDE },
    // Their time is made by hand and waits for their work, so they do not disturb each other.
    {
      name: 'stories',
      files: stories,
      options: ['--test-concurrency=2', '--test-timeout=240000'],
    },
    // Real sockets and real sound: mostly they wait, and two at a time do not starve each other.
    {
      name: 'interop',
      files: interop.filter((file) => !isAlone(file)),
      options: ['--test-concurrency=2', '--test-timeout=240000'],
    },
    {
      name: 'interop, one at a time',
      files: interop.filter(isAlone),
      options: ['--test-concurrency=1', '--test-timeout=240000'],
    },
  ].filter((tier) => tier.files.length > 0);
}

/** Plays against the whole server, under a clock that moves by hand. */
function isStory(file: string): boolean {
  return /^test\/(?!tidy|house-rules)/.test(file);
}

/** The flood measures, and SIPp and Kamailio are told a port that was free a moment ago. */
function isAlone(file: string): boolean {
  return /^src\/sip\/(flood|sipp|kamailio)\./.test(file);
}

function isStore(file: string): boolean {
  return /-store\.(interop\.)?test\.ts$/.test(file);
}

/** Whether the file gets a test database, itself or through a file it imports. */
function usesDatabase(file: string): boolean {
  const path = join(root, file);
  const known = databaseUsers.get(path);
  if (known !== undefined) return known;
  databaseUsers.set(path, false);
  if (!existsSync(path)) return false;
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(/from '(\.[^']+\.ts)'/g)].map((match) => match[1] ?? '');
  const uses = imports.some((name) => {
    const imported = join(dirname(file), name);
    return imported === join('test', 'database.ts') || usesDatabase(imported);
  });
  databaseUsers.set(path, uses);
  return uses;
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

async function runAll(all: Tier[]): Promise<number> {
  const startedAt = systemClock.monotonic();
  const totals: Totals = {
    tests: 0,
    suites: 0,
    pass: 0,
    fail: 0,
    cancelled: 0,
    skipped: 0,
    todo: 0,
  };
  const skipped: string[] = [];
  const needsServer = all.some((tier) => tier.files.some(usesDatabase));
  const server = needsServer && givenServer() === '' ? await startTestServer(programs) : undefined;
  let failed = false;
  // The terminal sends Ctrl-C to the tests as well; we stay until the database is down.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      failed = stopped = true;
      running?.kill();
    });
  }
  try {
    for (const tier of all) {
      if (stopped) break;
      console.log(`\n── ${tier.name}: ${tier.files.length} files`);
      const code = await runTier(tier, server?.url, totals, skipped);
      failed ||= code !== 0;
    }
  } finally {
    await server?.release();
  }
  if (skipped.length > 0) console.log(`\nskipped:\n${skipped.join('\n')}`);
  console.log('\nall tiers together:');
  for (const name of COUNTS) console.log(`# ${name} ${totals[name]}`);
  console.log(`# duration_ms ${Math.round(systemClock.monotonic() - startedAt)}`);
  return failed ? 1 : 0;
}

function givenServer(): string {
  return process.env['ASKFIRST_TEST_DATABASE_URL'] ?? '';
}

/** Runs one tier, shows its output as it comes and adds up node's closing lines. */
async function runTier(
  tier: Tier,
  database: string | undefined,
  totals: Totals,
  skipped: string[],
): Promise<number> {
  // A process for each file reads the same thousand files; their types are stripped only once.
  const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: COMPILED, ...process.env };
  if (database !== undefined) env['ASKFIRST_TEST_DATABASE'] = database;
  const child = spawn(
    process.execPath,
    ['--test', '--test-reporter=spec', ...tier.options, ...tier.files],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  running = child;
  const limit = systemClock.after(TIER_TIMEOUT_MS, () => {
    console.error(`The ${tier.name} tier is not done after half an hour and is ended.`);
    child.kill('SIGKILL');
  });
  const ended = new Promise<number>((done) => child.once('close', (code) => done(code ?? 1)));
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    const count = /^ℹ (\w+) (\d+)$/.exec(line);
    const name = COUNTS.find((known) => known === count?.[1]);
    if (name !== undefined) totals[name] += Number(count?.[2]);
    if (/^\s*﹣ /.test(line)) skipped.push(line.trim());
  }
  const code = await ended;
  limit.cancel();
  return code;
}
