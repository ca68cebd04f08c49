import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/platform/clock.ts';
import type { SeedResult } from '../test/simulation/run-seed.ts';
import { runSeeds, tellFault } from '../test/simulation/run-seeds.ts';

/**
 * `npm run prove`: the proofs that `npm test` runs in a small size, in any size.
 *
 *   npm run prove                                      the list
 *   npm run prove -- simulation --count 10000          many seeds
 *   npm run prove -- simulation --seed 123 --trace     one seed, told line by line
 *   npm run prove -- opt-out-race --count 10000
 *   npm run prove -- day --count 2000 --seed 7         a day of campaigns
 *
 * `--json` prints one line of figures at the end, for machines.
 */
type Proof = {
  says: string;
  /** What `--count` counts, and how many when it is left out. */
  counts: string;
  count: number;
} & (
  | { kind: 'simulation' }
  | { kind: 'test'; file: string; variable: string }
  | { kind: 'day'; seed: number }
);

/** A test file that takes its size from an environment variable needs a row here and no code. */
const PROOFS: Readonly<Record<string, Proof>> = {
  simulation: {
    says: 'R-02: invariants I1 to I20 at every step of seeded worlds',
    kind: 'simulation',
    counts: 'seeds',
    count: 1_000,
  },
  'webhook-shuffles': {
    says: 'M-02: webhooks replayed, doubled and shuffled never loosen what one clean stream says',
    kind: 'test',
    file: 'test/webhook-shuffles.test.ts',
    variable: 'ASKFIRST_PROOF_COUNT',
    counts: 'streams',
    count: 10_000,
  },
  corpora: {
    says: 'every string and body of the corpora through every text field of every route',
    kind: 'test',
    file: 'test/corpora.test.ts',
    variable: 'ASKFIRST_CORPUS_STRINGS',
    counts: 'strings for each field',
    count: 1_000,
  },
  'opt-out-race': {
    says: 'C-01: stops race dials on the real database',
    kind: 'test',
    file: 'test/opt-out-dial-race.test.ts',
    variable: 'OPT_OUT_RACES',
    counts: 'races',
    count: 10_000,
  },
  'gate-oracle': {
    says: 'C-02: the gate against an independent, slow oracle',
    kind: 'test',
    file: 'src/policy/policy-oracle.test.ts',
    variable: 'ASKFIRST_GATE_CASES',
    counts: 'cases',
    count: 1_000_000,
  },
  day: {
    says: 'a day of eight campaigns: no rule is broken, and every figure is right',
    kind: 'day',
    seed: 20_260_603,
    counts: 'people',
    count: 100_000,
  },
  kpis: {
    says: 'K-03: every figure equals an independent SQL over the ledger, whatever is late or twice',
    kind: 'test',
    file: 'test/kpis.test.ts',
    variable: 'ASKFIRST_KPI_SETS',
    counts: 'data sets',
    count: 1_000,
  },
  journeys: {
    says: 'people on journeys at once: each ends as that person acts, nobody is rung twice',
    kind: 'test',
    file: 'test/journeys-at-once.test.ts',
    variable: 'ASKFIRST_JOURNEY_RUNS',
    counts: 'people',
    count: 1_000,
  },
  campaigns: {
    says: 'a campaign through the whole product: each ends as that person acts, figures agree',
    kind: 'test',
    file: 'test/campaigns.test.ts',
    variable: 'ASKFIRST_CAMPAIGN_PEOPLE',
    counts: 'people',
    count: 500,
  },
  'campaign-pause': {
    says: 'pauses and stops of campaigns race dials: nothing is dialled once they are answered',
    kind: 'test',
    file: 'test/campaign-pause-race.test.ts',
    variable: 'ASKFIRST_PAUSE_RACES',
    counts: 'pauses and stops',
    count: 1_000,
  },
  experiments: {
    says: 'K-01, K-02, K-04: experiments in which nothing differs fool nobody more than they may',
    kind: 'test',
    file: 'src/experiments/false-alarms.test.ts',
    variable: 'ASKFIRST_EXPERIMENTS',
    counts: 'experiments',
    count: 10_000,
  },
  caps: {
    says: 'C-10: no cap is passed when two hundred come at once',
    kind: 'test',
    file: 'test/caps.test.ts',
    variable: 'ASKFIRST_CAP_ROUNDS',
    counts: 'rounds',
    count: 50,
  },
  'switch-report': {
    says: 'the report before a switch of packs counts each person once and right, in little memory',
    kind: 'test',
    file: 'test/switch-report.test.ts',
    variable: 'ASKFIRST_SWITCH_PEOPLE',
    counts: 'people',
    count: 1_000_000,
  },
  'client-hello-spray': {
    says: 'T-01: a stranger sprays ClientHellos while calls are set up; every one connects',
    kind: 'test',
    file: 'src/media/media-faults.interop.test.ts',
    variable: 'ASKFIRST_SPRAYED_CALLS',
    counts: 'calls',
    count: 200,
  },
  'srtp-attacks': {
    says: 'T-02: SRTP changed, replayed and forged on the way is never heard',
    kind: 'test',
    file: 'test/media-attacks.interop.test.ts',
    variable: 'ASKFIRST_SRTP_PACKETS',
    counts: 'packets of each of 12 kinds',
    count: 1_000,
  },
  'media-junk': {
    says: 'T-04: fifteen kinds of junk from strangers do not touch a live call',
    kind: 'test',
    file: 'test/media-attacks.interop.test.ts',
    variable: 'ASKFIRST_JUNK_PACKETS',
    counts: 'packets of each kind',
    count: 5_000,
  },
  'rtp-bleed': {
    says: 'T-05: a third sender on the SIP leg hears nothing and is not heard',
    kind: 'test',
    file: 'test/media-attacks.interop.test.ts',
    variable: 'ASKFIRST_BLEED_CALLS',
    counts: 'calls',
    count: 200,
  },
  'media-leaks': {
    says: 'calls opened and closed leave no port, socket, timer, descriptor or object behind',
    kind: 'test',
    file: 'test/media-leaks.interop.test.ts',
    variable: 'ASKFIRST_LEAK_CALLS',
    counts: 'calls',
    count: 10_000,
  },
};

const SEEDS_PROGRAM = 'test/simulation/seeds-main.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seeds: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    mutation: { type: 'string', default: '-' },
    processes: { type: 'string', default: '2' },
    trace: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [name = ''] = positionals;
const proof = PROOFS[name];
if (proof === undefined) {
  list();
  process.exitCode = name === '' ? 0 : 1;
} else {
  const count = Number(values.count ?? values.seeds ?? proof.count);
  process.exitCode = await prove(proof, count);
}

async function prove(which: Proof, count: number): Promise<number> {
  switch (which.kind) {
    case 'test':
      return runTest(which.file, { [which.variable]: String(count) });
    case 'day': {
      const { proveDay } = await import('../test/campaign-day/day-main.ts');
      return proveDay(count, Number(values.seed ?? which.seed));
    }
    case 'simulation':
      return simulate(count);
  }
}

function list(): void {
  if (name !== '') console.error(`There is no proof "${name}". There are:\n`);
  for (const [known, { says, counts, count }] of Object.entries(PROOFS)) {
    console.log(`${known.padEnd(18)}${says} (${count} ${counts} unless --count)`);
  }
}

async function runTest(file: string, env: Record<string, string>): Promise<number> {
  return run(['--test', '--test-reporter=spec', file], env);
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const child = spawn(process.execPath, [...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

async function simulate(count: number): Promise<number> {
  if (values.trace) {
    return run([SEEDS_PROGRAM, values.seed ?? values.from, values.mutation, 'trace']);
  }
  const first = Number(values.seed ?? values.from);
  const total = values.seed === undefined ? count : 1;
  const seeds = Array.from({ length: total }, (_, index) => first + index);
  const startedAt = systemClock.monotonic();
  const seconds = (): number => Math.round((systemClock.monotonic() - startedAt) / 1_000);
  const onResult = (result: SeedResult, done: number): void => {
    if (result.violations.length > 0) console.error(`\n${tellFault(result)}\n`);
    if (!values.json) process.stderr.write(`\r${done} of ${total} seeds, ${seconds()} s `);
  };
  const results = await runSeeds({ seeds, processes: Number(values.processes), onResult });
  const faulty = results.filter(({ violations }) => violations.length > 0);
  const figures = {
    proof: 'simulation',
    seeds: results.length,
    days: results.filter(({ isLong }) => isLong).length,
    faulty: faulty.map(({ seed }) => seed),
    steps: results.reduce((sum, { steps }) => sum + steps, 0),
    rings: results.reduce((sum, { counts }) => sum + counts.rings, 0),
    crashes: results.reduce((sum, { counts }) => sum + counts.crashes, 0),
    seconds: seconds(),
  };
  if (values.json) console.log(JSON.stringify(figures));
  else {
    const { days, steps, rings, crashes } = figures;
    const played = `${figures.seeds} seeds, ${days} of them whole days`;
    process.stderr.write('\n');
    console.log(`${played}: ${steps} steps, ${rings} rings, ${crashes} crashes`);
    console.log(
      faulty.length === 0 ? 'Nothing is broken.' : `${faulty.length} seeds have a fault.`,
    );
  }
  return faulty.length === 0 ? 0 : 1;
}
