import type { Database, Queryable, Statement, Tx } from '../../src/database/database.ts';
import type { Random } from '../../src/platform/random.ts';
import type { Vault } from '../../src/platform/vault.ts';

/**
 * The database port of a simulated world: real PostgreSQL, one statement at a time, and a seeded
 * draw decides whose turn it is. So answers come in an order that the seed alone determines, and
 * different seeds try different orders. Transactions take turns as a whole, as they would on the
 * lock of one contact; plain reads pass in between.
 */
export type TurnstilePorts = {
  /** Two databases of one connection each: one for transactions, one for everything else. */
  forTransactions: Database;
  forTheRest: Database;
  random: Random;
  /** Of this world: its keys come from the seed too. */
  vault: Vault;
  now: () => number;
  /** Called before each statement; it may throw, and then the statement does not run. */
  beforeStatement: (name: string, text: string) => void;
  afterCommit: () => void;
};

export type Turnstile = {
  database: Database;
  /** Resolves when nothing waits, nothing is under way and everybody has done with the answers. */
  settled(): Promise<void>;
  /** Turns taken so far. */
  turns(): number;
};

type Turn = {
  kind: 'begin' | 'statement' | 'end' | 'read' | 'write';
  name: string;
  /** Starts it; resolves when its answer has come. */
  take: () => Promise<void>;
};

export function openTurnstile(ports: TurnstilePorts): Turnstile {
  const { forTransactions, forTheRest } = ports;
  const waiting: Turn[] = [];
  let inTransaction = false;
  let turns = 0;
  let pumping: Promise<void> | null = null;
  /** What each connection was last told, so that it is told again only when time has moved. */
  const shown = new Map<Database, number>();
  const showClock = async (to: Database): Promise<void> => {
    const now = ports.now();
    if (shown.get(to) === now) return;
    shown.set(to, now);
    await to.run(SHOW_CLOCK, [String(now)]);
  };

  const choose = (): Turn | undefined => {
    const open = waiting.filter(({ kind }) =>
      inTransaction
        ? kind === 'statement' || kind === 'end' || kind === 'read'
        : kind !== 'statement' && kind !== 'end',
    );
    // Only writes of others are left: the transaction waits for one of them.
    const choices = open.length > 0 ? open : waiting.filter(({ kind }) => kind === 'write');
    const chosen = choices[choices.length > 1 ? ports.random.below(choices.length) : 0];
    if (chosen !== undefined) waiting.splice(waiting.indexOf(chosen), 1);
    return chosen;
  };
  const pump = async (): Promise<void> => {
    for (;;) {
      await quiet();
      const turn = choose();
      if (turn === undefined) break;
      turns += 1;
      await turn.take();
    }
    pumping = null;
  };
  /** Waits for a turn and does `work` in it. */
  const inTurn = <T>(kind: Turn['kind'], name: string, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const take = async (): Promise<void> => {
        await work().then(resolve, reject);
      };
      waiting.push({ kind, name, take });
      pumping ??= pump();
    });
  const plain = async <Row extends object>(
    { name, text }: Statement<Row>,
    values: readonly unknown[],
  ): Promise<Row[]> =>
    inTurn(isRead(text) ? 'read' : 'write', name, async () => {
      ports.beforeStatement(name, text);
      if (asksForTime(text)) await showClock(forTheRest);
      return forTheRest.run<Row>({ name, text }, values);
    });

  const wrap = (real: Tx): Tx => {
    // Statements of one transaction keep the order they were made in.
    let last: Promise<unknown> = Promise.resolve();
    const run = <Row extends object>(
      { name, text }: Statement<Row>,
      values: readonly unknown[] = [],
    ): Promise<Row[]> => {
      const mine = last.then(() =>
        inTurn('statement', name, async () => {
          ports.beforeStatement(name, text);
          return real.run<Row>({ name, text }, values);
        }),
      );
      last = mine.catch(() => {});
      return mine;
    };
    return { ...real, vault: ports.vault, run, first: firstOf(run) };
  };

  const transaction = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const over = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<T>();
    await inTurn('begin', 'begin', async () => {
      ports.beforeStatement('begin', 'begin');
      inTransaction = true;
      const begun = Promise.withResolvers<void>();
      const end = (name: string): Promise<void> => {
        // The turn lasts until the real COMMIT or ROLLBACK has come back.
        const ready = Promise.withResolvers<void>();
        void inTurn('end', name, () => {
          ready.resolve();
          return over.promise;
        });
        return ready.promise;
      };
      await showClock(forTransactions);
      forTransactions
        .transaction(async (real) => {
          begun.resolve();
          const result = await work(wrap(real)).catch(async (error: unknown) => {
            await end('rollback');
            throw error;
          });
          await end('commit');
          ports.beforeStatement('commit', 'commit');
          return result;
        })
        .then(
          (result) => {
            ports.afterCommit();
            outcome.resolve(result);
          },
          (error: unknown) => outcome.reject(error as Error),
        )
        .finally(() => {
          inTransaction = false;
          begun.resolve();
          over.resolve();
        });
      await begun.promise;
    });
    return outcome.promise;
  };

  const run: Queryable['run'] = (statement, values = []) => plain(statement, values);
  return {
    database: { ...forTheRest, vault: ports.vault, run, first: firstOf(run), transaction },
    async settled() {
      for (;;) {
        await quiet();
        if (pumping === null) return;
        await pumping;
      }
    },
    turns: () => turns,
  };
}

function firstOf(run: Queryable['run']): Queryable['first'] {
  return async (statement, values) => (await run(statement, values))[0];
}

/** What the database takes for the time; see `stage.ts`. */
const SHOW_CLOCK: Statement = {
  name: 'simulation_show_clock',
  text: `select set_config('sim.now', $1::text, false)`,
};

/** Reads that take no lock never wait for a transaction. */
function isRead(text: string): boolean {
  return /^\s*(select|with)\b/i.test(text) && !/\b(insert|update|delete)\b/i.test(text);
}

/** Defaults of columns ask too. */
function asksForTime(text: string): boolean {
  return /now\(\)|\binsert\b/i.test(text);
}

/** Lets everything that is only waiting for its turn of the event loop go on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** More than the longest chain of turns that anything needs between two statements. */
const QUIET_TURNS = 6;
