import { Pool, escapeIdentifier, types, type CustomTypesConfig, type PoolClient } from 'pg';
import { Failure, errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { SubjectKey, Vault } from '../platform/vault.ts';
import { withBinaryArrays } from './array-parameter.ts';

/**
 * The only door to PostgreSQL. Every statement is a named constant in a `*-store.ts` file, is
 * prepared once per connection, and is PREPAREd against the real schema by one test. Instants are
 * `timestamptz` in the schema and milliseconds since 1970 in TypeScript; pass them with `at()`.
 */
export type Statement<Row extends object = Record<string, unknown>> = {
  readonly name: string;
  readonly text: string;
  /** Only a carrier for the row type. */
  readonly row?: Row;
};

/** Anything statements can run on: the pool, or one transaction. */
export type Queryable = {
  /** The keys under which rows of this database are sealed. */
  readonly vault: Vault;
  /** Runs a statement and returns its rows. */
  run<Row extends object>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]>;
  /** As `run`, for at most one row. */
  first<Row extends object>(
    statement: Statement<Row>,
    values?: readonly unknown[],
  ): Promise<Row | undefined>;
};

export type Tx = Queryable & {
  readonly inTransaction: true;
  /** The keys of those whose locks this transaction holds; null for one who was erased. */
  readonly keys: Map<string, SubjectKey | null>;
  /** Runs `task` once the transaction has committed; never when it rolled back. For hints only. */
  afterCommit(task: () => void): void;
};

export type Database = Queryable & {
  /**
   * Runs `work` in one transaction: all of it commits or nothing does. Serialization failures and
   * deadlocks are retried, so `work` must touch nothing but the database.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Wakes `listener` on NOTIFY; only ever a hint, polling is the truth. */
  listen(channel: string, listener: (payload: string) => void): Promise<() => Promise<void>>;
  /** Runs text that is no named statement: migrations only. */
  script(text: string): Promise<void>;
  close(): Promise<void>;
};

const statements = new Map<string, Statement>();

/** Declares a statement. Names are unique in the whole program: `<store>_<what>`. */
export function statement<Row extends object = Record<string, unknown>>(
  name: string,
  text: string,
): Statement<Row> {
  const existing = statements.get(name);
  if (existing !== undefined && existing.text !== text) throw new Error(`two statements: ${name}`);
  const made = { name, text };
  statements.set(name, made);
  return made;
}

/**
 * An array parameter whose length the planner does not see. Where it sees it, it finds a plan for
 * just that length cheaper than one for any, and plans the statement anew at every run: for the
 * lock of one contact that takes longer than the lock.
 */
export function unmeasured(parameter: string): string {
  return `(select ${parameter})`;
}

/** Every statement declared by the modules loaded so far, for the PREPARE test. */
export function declaredStatements(): Statement[] {
  return [...statements.values()];
}

/** An instant as a statement parameter. */
export function at(ms: number): Date;
export function at(ms: number | null): Date | null;
export function at(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

const INT8 = 20;
const TIMESTAMPTZ = 1184;

const parseInstant = types.getTypeParser(TIMESTAMPTZ) as (text: string) => Date;

/** bigint as number (ids and counters stay far below 2^53), timestamptz as milliseconds. */
const customTypes: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return Number;
    if (oid === TIMESTAMPTZ) return (text: string) => parseInstant(text).getTime();
    return types.getTypeParser(oid, format) as unknown;
  },
};

export type DatabaseOptions = {
  /** Connection string, or host (a socket folder is fine), port, user and database. */
  connection: string | { host: string; port: number; user: string; database: string };
  log: Log;
  vault: Vault;
  poolSize?: number;
};

const RETRYABLE_STATES = new Set(['40001', '40P01']);
const TRIES_MAX = 5;

export function openDatabase(options: DatabaseOptions): Database {
  const { vault } = options;
  const pool = new Pool({
    ...(typeof options.connection === 'string'
      ? { connectionString: options.connection }
      : options.connection),
    max: options.poolSize ?? 16,
    // Statements that do not wait for each other's rows share one trip to the server.
    pipeline: true,
    types: customTypes,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
  });
  let closing = false;
  pool.on('error', (error) => {
    if (!closing) options.log.warn({ error: error.message }, 'database connection lost');
  });

  return {
    ...queryable(pool, vault),
    async transaction(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await transactOnce(pool, vault, work);
        } catch (error) {
          if (attempt >= TRIES_MAX || !RETRYABLE_STATES.has(stateOf(error))) throw error;
        }
      }
    },
    async listen(channel, listener) {
      const client = await pool.connect();
      client.on('notification', (message) => listener(message.payload ?? ''));
      // A lost listener costs latency only; the pool replaces the connection for other work.
      client.on('error', (error) => options.log.warn({ error: error.message }, 'listener lost'));
      await client.query(`listen ${escapeIdentifier(channel)}`);
      return async () => {
        client.removeAllListeners('notification');
        client.release(true);
      };
    },
    async script(text) {
      await pool.query(text);
    },
    close: () => {
      closing = true;
      return pool.end();
    },
  };
}

async function transactOnce<T>(pool: Pool, vault: Vault, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  const hints: Array<() => void> = [];
  const afterCommit = (task: () => void): void => void hints.push(task);
  try {
    // Sent ahead of the first statement, which fails with it should it fail.
    client.query('begin').catch(() => undefined);
    const result = await work({
      ...queryable(client, vault),
      inTransaction: true,
      keys: new Map(),
      afterCommit,
    });
    await client.query('commit');
    for (const hint of hints) hint();
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => {
      broken = cause instanceof Error ? cause : new Error(errorText(cause));
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    throw new Failure({
      code: 'database_unreachable',
      message: `The database does not answer: ${errorText(cause)}`,
      fix: 'Check that PostgreSQL runs and that DATABASE_URL is right.',
      verdict: 'retryable',
      side: 'server',
      cause,
    });
  }
}

function queryable(target: Pool | PoolClient, vault: Vault): Queryable {
  const run = async <Row extends object>(
    statement: Statement<Row>,
    values: readonly unknown[] = [],
  ): Promise<Row[]> => {
    const result = await target.query<Row>({
      name: statement.name,
      text: statement.text,
      values: withBinaryArrays(statement.text, values),
    });
    return result.rows;
  };
  return { vault, run, first: async (statement, values) => (await run(statement, values))[0] };
}

/** The SQLSTATE of a database error, or an empty string. */
export function stateOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

export function isUniqueViolation(error: unknown): boolean {
  return stateOf(error) === '23505';
}
