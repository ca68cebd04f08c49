import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { delay, systemClock } from '../src/platform/clock.ts';
import { canBind } from '../src/media/port-allocator.ts';
import { programPath } from '../test/peers.ts';
import { compare, type BenchResult } from './harness.ts';

/**
 * Calls a second and processor time per INVITE-200-ACK-BYE: our user agent as one process, and
 * SIPp as the caller, each toward its own SIPp as the callee, over UDP and TCP, one after the
 * other. SIPp is written in C and does nothing but this. Retransmissions are counted by the
 * callee.
 *
 *   BENCH_SECONDS=2 npm run bench -- sip      a quick run
 */
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const RATE = Number(process.env['BENCH_SIP_RATE'] ?? 600);
const GOAL_CPU_MS = 0.45;
const SCENARIO = join(import.meta.dirname, '../test/sipp/answer.xml');

type Load = { perSecond: number; cpuMsPerCall: number; p99: number; failed: number };
type Callee = { port: number; retransmissions(): Promise<number>; close(): Promise<void> };

export async function run(): Promise<BenchResult[]> {
  if (programPath('sipp') === undefined) {
    console.error('sipp is not installed: apt-get install sip-tester');
    return [];
  }
  const results: BenchResult[] = [];
  for (const transport of ['udp', 'tcp'] as const) {
    const ours = await measured(transport, (port) => ourLoad(port, transport));
    const reference = await measured(transport, (port) => sippLoad(port, transport));
    const name = 'SIPp as the caller';
    const over = `over ${transport.toUpperCase()}`;
    results.push(
      compare({
        name: `calls a second ${over}, asked for ${RATE}`,
        value: ours.perSecond,
        unit: '/s',
        reference: { name, value: reference.perSecond },
        goal: { ratioAtLeast: 0.95 },
      }),
      compare({
        name: `processor time per call ${over}`,
        value: ours.cpuMsPerCall,
        unit: 'ms',
        reference: { name, value: reference.cpuMsPerCall },
        goal: { atMost: GOAL_CPU_MS },
      }),
      compare({ name: `INVITE to 200 ${over}, p99`, value: ours.p99, unit: 'ms' }),
      compare({
        name: `retransmissions and failed calls ${over}`,
        value: ours.retransmissions + ours.failed,
        unit: '',
        reference: { name, value: reference.retransmissions + reference.failed },
        goal: { atMost: 0 },
      }),
    );
  }
  return results;
}

async function measured(
  transport: 'udp' | 'tcp',
  load: (port: number) => Promise<Load>,
): Promise<Load & { retransmissions: number }> {
  const callee = await openCallee(transport);
  try {
    const figures = await load(callee.port);
    return { ...figures, retransmissions: await callee.retransmissions() };
  } finally {
    await callee.close();
  }
}

async function ourLoad(port: number, transport: string): Promise<Load> {
  const uri = `sip:desk@127.0.0.1:${port};transport=${transport}`;
  const script = join(import.meta.dirname, 'sip-load.ts');
  const args = [script, uri, String(RATE), String(SECONDS)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Load;
}

/** The shell tells what a child has used; Node does not. */
async function sippLoad(port: number, transport: 'udp' | 'tcp'): Promise<Load> {
  const calls = RATE * SECONDS;
  const pace = `-d 0 -m ${calls} -r ${RATE} -l ${calls}`;
  const wire = `-i 127.0.0.1 -t ${transport === 'udp' ? 'u1' : 't1'}`;
  const sipp = `sipp -sn uac ${pace} ${wire} -nostdin 127.0.0.1:${port}`;
  const script = `TIMEFORMAT='%U %S %R'; time ${sipp} >/dev/null 2>&1; echo code $?`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script]);
  const [user = 0, system = 0, elapsed = 1] = stderr.trim().split(' ').map(Number);
  return {
    perSecond: calls / elapsed,
    cpuMsPerCall: ((user + system) * 1000) / calls,
    p99: Number.NaN,
    failed: stdout.includes('code 0') ? 0 : 1,
  };
}

async function openCallee(transport: 'udp' | 'tcp'): Promise<Callee> {
  const folder = await mkdtemp(join(tmpdir(), 'askfirst-bench-sip-'));
  const statistics = join(folder, 'callee.csv');
  const port = await freePort();
  const wire = `-i 127.0.0.1 -p ${port} -t ${transport === 'udp' ? 'u1' : 't1'} -nostdin`;
  const figures = ['-trace_stat', '-stf', statistics, '-fd', '1'];
  const args = ['-sf', SCENARIO, ...wire.split(' '), ...figures];
  const child = spawn('sipp', args, { stdio: 'ignore' });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await delay(systemClock, 1_000);
  return {
    port,
    async retransmissions() {
      // Its figures are written once a second.
      await delay(systemClock, 1_500);
      return lastOf(await readFile(statistics, 'utf8'), 'Retransmissions(C)');
    },
    async close() {
      child.kill('SIGKILL');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The newest value of a column; SIPp writes semicolons. */
function lastOf(csv: string, column: string): number {
  const lines = csv.trim().split('\n');
  const index = (lines[0] ?? '').split(';').indexOf(column);
  return Number((lines.at(-1) ?? '').split(';')[index] ?? 0);
}

async function freePort(): Promise<number> {
  for (let port = 15_060; port < 15_999; port += 7) {
    if (await canBind('127.0.0.1', port)) return port;
  }
  throw new Error('no free port for SIPp');
}
