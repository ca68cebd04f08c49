import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { systemClock } from '../../src/platform/clock.ts';

/** What a day has cost so far: seconds on the wall, seconds of processor, and the most memory. */
export type Usage = {
  wallSeconds: number;
  nodeSeconds: number;
  /** Of PostgreSQL with all that serves a connection; null where Linux does not tell. */
  databaseSeconds: number | null;
  /** Of Node, at its peak. */
  memoryMb: number;
};

/** Linux counts processor time of others in hundredths of a second. */
const TICKS = 100;

/** Returns the way to read what was used since now. */
export async function meter(client: Client): Promise<() => Usage> {
  const startedAt = systemClock.monotonic();
  const cpu = process.cpuUsage();
  const { rows } = await client.query<{ folder: string }>(
    `select current_setting('data_directory') as folder`,
  );
  const server = serverOf(rows[0]?.folder ?? '');
  const before = server === null ? null : secondsOf(server);
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const now = server === null ? null : secondsOf(server);
    return {
      wallSeconds: Math.round((systemClock.monotonic() - startedAt) / 1_000),
      nodeSeconds: Math.round((user + system) / 1e6),
      databaseSeconds: now === null || before === null ? null : Math.round(now - before),
      memoryMb: Math.round(process.resourceUsage().maxRSS / 1_024),
    };
  };
}

function serverOf(folder: string): number | null {
  try {
    const [pid] = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
    return Number(pid);
  } catch {
    return null;
  }
}

/** Of the server, of those of its processes that have ended, and of those that live. */
function secondsOf(server: number): number | null {
  const own = statOf(String(server));
  if (own === null) return null;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statOf)
    .filter((stat) => stat?.parent === server);
  return own.seconds + children.reduce((sum, stat) => sum + (stat?.seconds ?? 0), 0);
}

/** proc(5): the fields after the name, which may hold anything but stands in brackets. */
function statOf(pid: string): { parent: number; seconds: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const times = fields.slice(11, 15).map(Number);
    return {
      parent: Number(fields[1]),
      seconds: times.reduce((sum, ticks) => sum + ticks, 0) / TICKS,
    };
  } catch {
    return null;
  }
}
