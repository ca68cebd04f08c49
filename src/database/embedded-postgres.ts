import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { delay, type Clock } from '../platform/clock.ts';
import { errorText, Failure } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { choosePostgresAccount, type PostgresAccount } from './postgres-account.ts';
import {
  bundledPrograms,
  cleanEnvironment,
  ensureCluster,
  isReady,
  postgresFailure,
  socketFolder,
  stopLeftOver,
} from './postgres-cluster.ts';
import { openServerLog, type ServerLog } from './postgres-log.ts';

/**
 * The supervisor of the PostgreSQL that npm brings. It makes the data folder on the first start,
 * listens on a private unix socket only, outlives a `kill -9` of either side, starts the server
 * again when it dies by itself, and ends it with the process.
 *
 * The caller must hold the lock of the data folder (`openDataFolder`) while it runs.
 */
export type EmbeddedPostgres = {
  /** For `new pg.Pool({ connectionString })`. */
  readonly connectionString: string;
  /** The same as separate settings; `host` is the folder of the socket. */
  readonly connection: { host: string; port: number; user: string; database: string };
  /** Fast shutdown: open transactions roll back, everything acknowledged is on disk. */
  stop(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** PostgreSQL's own data folder; its parent must exist or be makeable. */
  dataDir: string;
  log: Log;
  clock: Clock;
  /** Folder with `initdb` and `postgres`; the ones from npm when left out. */
  programs?: string;
  /** Settings put over ours, such as `{ fsync: 'off' }` for a test server. */
  settings?: Readonly<Record<string, string>>;
  /** Called when the server died and could not be started again. */
  onLost?: (failure: Failure) => void;
};

/** The name of the socket file, and the port for `pg`; nothing listens on TCP. */
const PORT = 5432;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
/** How long a lock that a killed server left behind may take to go away. */
const LOCK_PATIENCE_MS = 8_000;
const RETRY_MS = 250;
const POLL_MS = 20;
const RESTARTS_MAX = 5;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: `${PORT}`,
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  min_wal_size: '64MB',
  max_wal_size: '1GB',
  // Our statements are short and prepared; compiling them costs more than it saves.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  // DETAIL lines and statements can carry phone numbers, so neither is written.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** Starts the server and resolves once it takes connections. Throws `Failure` with a fix. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  try {
    return await startIn(dataDir, options);
  } catch (error) {
    // The file system speaks in codes such as EACCES; a person gets a sentence with the fix.
    throw error instanceof Failure ? error : postgresFailure(errorText(error), dataDir, error);
  }
}

async function startIn(
  dataDir: string,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const programs = options.programs ?? bundledPrograms();
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 });
  const account = await choosePostgresAccount(programs, dirname(dataDir));
  await stopLeftOver(dataDir, options.clock);
  await ensureCluster(programs, dataDir, account);
  const host = await socketFolder(dataDir, account);
  const server = new Server({ ...options, dataDir, programs }, account, host);
  await server.start();
  return {
    connectionString: `postgresql://postgres@${encodeURIComponent(host)}:${PORT}/postgres`,
    connection: { host, port: PORT, user: 'postgres', database: 'postgres' },
    stop: () => server.stop(),
  };
}

class Server {
  readonly #options: EmbeddedPostgresOptions & { programs: string };
  readonly #account: PostgresAccount;
  readonly #host: string;
  readonly #log: ServerLog;
  #child: ChildProcess | undefined;
  #stopping = false;
  #restarts = 0;

  constructor(
    options: EmbeddedPostgresOptions & { programs: string },
    account: PostgresAccount,
    host: string,
  ) {
    this.#options = options;
    this.#account = account;
    this.#host = host;
    this.#log = openServerLog(join(dirname(options.dataDir), 'postgres.log'));
  }

  /** Retries while the lock of a killed server lingers. */
  async start(): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + LOCK_PATIENCE_MS;
    for (;;) {
      try {
        return await this.#startOnce();
      } catch (error) {
        const retryable = error instanceof Failure && error.verdict === 'retryable';
        if (!retryable || clock.monotonic() > deadline) throw error;
        await delay(clock, RETRY_MS);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise<void>((done) => child.once('exit', () => done()));
      child.kill('SIGINT');
      // SIGQUIT drops everything at once; the next start then replays the write-ahead log.
      const late = this.#options.clock.after(STOP_TIMEOUT_MS, () => child.kill('SIGQUIT'));
      await exited;
      late.cancel();
    }
    this.#log.close();
    // Empty after a clean stop; if it is not, the next start finds it and goes on.
    await rmdir(this.#host).catch(() => {});
  }

  async #startOnce(): Promise<void> {
    const { clock, dataDir } = this.#options;
    this.#log.forgetTail();
    const child = this.#spawn();
    const life = { ended: false };
    child.once('error', (error) => {
      this.#log.write(Buffer.from(`${error.message}\n`));
      life.ended = true;
    });
    // 'close' comes after the last byte of output, 'exit' may come before it.
    child.once('close', () => (life.ended = true));
    const deadline = clock.monotonic() + START_TIMEOUT_MS;
    while (!life.ended && !(await isReady(dataDir, child.pid ?? -1))) {
      if (clock.monotonic() > deadline) {
        child.kill('SIGQUIT');
        throw postgresFailure('it was not ready within 60 s', dataDir);
      }
      await delay(clock, POLL_MS);
    }
    if (life.ended) throw postgresFailure(this.#log.tail(), dataDir);
    this.#child = child;
    child.once('exit', () => this.#died());
    // Between `ready` and the listener above it may have gone already.
    if (child.exitCode !== null || child.signalCode !== null) this.#died();
  }

  #spawn(): ChildProcess {
    const { dataDir, programs, settings } = this.#options;
    const all = {
      ...SETTINGS,
      // The value is a list; quotes keep a comma or a space in a path from splitting it.
      unix_socket_directories: `"${this.#host}"`,
      ...settings,
    };
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [program, args] = this.#account.command(join(programs, 'postgres'), [
      '-D',
      dataDir,
      ...flags,
    ]);
    // A session of its own: Ctrl-C in the terminal must reach us, not the database before us.
    const child = spawn(program, args, {
      cwd: dirname(dataDir),
      env: cleanEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk: Buffer) => this.#log.write(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.#log.write(chunk));
    return child;
  }

  #died(): void {
    if (this.#stopping) return;
    this.#child = undefined;
    this.#restarts += 1;
    const { log, dataDir, onLost } = this.#options;
    log.error({ restarts: this.#restarts }, 'the database server died and is started again');
    const restarted =
      this.#restarts > RESTARTS_MAX
        ? Promise.reject(postgresFailure(this.#log.tail(), dataDir))
        : this.start();
    restarted.catch((error: unknown) => {
      const failure = error instanceof Failure ? error : postgresFailure(String(error), dataDir);
      log.error({ code: failure.code }, 'the database server could not be started again');
      onLost?.(failure);
    });
  }
}
