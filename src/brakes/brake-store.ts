import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, LineId } from '../platform/ids.ts';
import type { Finding, LineBrake, LineState } from './brakes.ts';

type Row = {
  account_id: AccountId;
  line_id: LineId;
  state: LineState;
  since: number;
  because: Finding[];
  actor: string;
  reason: string | null;
  count_from: number | null;
  calls_per_second: number | null;
  requests_per_second: number | null;
};

const COLUMNS = `account_id, line_id, state, since, because, actor, reason, count_from,
  calls_per_second, requests_per_second`;

const READ = statement<Row>(
  'brake_read',
  `select ${COLUMNS} from line_brakes where account_id = $1 and line_id = $2`,
);

/** Null where the line never braked. */
export async function readBrake(
  db: Queryable,
  accountId: AccountId,
  lineId: LineId,
): Promise<LineBrake | null> {
  const row = await db.first(READ, [accountId, lineId]);
  return row === undefined ? null : toBrake(row);
}

const OF_ACCOUNT = statement<Row>(
  'brake_of_account',
  `select ${COLUMNS} from line_brakes where account_id = $1 order by line_id`,
);

/** Of every line that ever braked. */
export async function listBrakes(db: Queryable, accountId: AccountId): Promise<LineBrake[]> {
  return (await db.run(OF_ACCOUNT, [accountId])).map(toBrake);
}

const SAVE = statement(
  'brake_save',
  `insert into line_brakes (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   on conflict (line_id) do update
     set state = excluded.state, since = excluded.since, because = excluded.because,
         actor = excluded.actor, reason = excluded.reason, count_from = excluded.count_from,
         calls_per_second = excluded.calls_per_second,
         requests_per_second = excluded.requests_per_second, next_request_at = null`,
);

export async function saveBrake(tx: Tx, brake: LineBrake & { since: number }): Promise<void> {
  await tx.run(SAVE, [
    brake.accountId,
    brake.lineId,
    brake.state,
    at(brake.since),
    JSON.stringify(brake.because),
    brake.actor,
    brake.reason,
    at(brake.countFrom),
    brake.pace?.callsPerSecond ?? null,
    brake.pace?.requestsPerSecond ?? null,
  ]);
}

const PAUSES = statement<{ line_id: LineId; since: number }>(
  'brake_pauses',
  `select line_id, since from line_brakes
    where line_id = any ($1::text[]) and state = 'paused'`,
);

/**
 * Which of the lines are paused, and since when. Who pauses holds the lock of the account's row,
 * so whoever asks here behind a share of that lock misses no pause.
 */
export async function pausesAmong(
  tx: Tx,
  lineIds: readonly LineId[],
): Promise<ReadonlyMap<LineId, number>> {
  const rows = await tx.run(PAUSES, [lineIds]);
  return new Map(rows.map(({ line_id: lineId, since }) => [lineId, since]));
}

const TAKE_TURN = statement<{ turn_at: number }>(
  'brake_take_turn',
  `update line_brakes
      set next_request_at = greatest(coalesce(next_request_at, $2), $2)
            + make_interval(secs => 1 / requests_per_second)
    where line_id = $1 and state = 'slowed' and requests_per_second is not null
   returning next_request_at - make_interval(secs => 1 / requests_per_second) as turn_at`,
);

/** When a request of this line may go: now, unless the line is slowed and others go before it. */
export async function takeRequestTurn(db: Queryable, lineId: LineId, now: number): Promise<number> {
  return (await db.first(TAKE_TURN, [lineId, at(now)]))?.turn_at ?? now;
}

const LINES = statement<{ id: LineId; account_id: AccountId }>(
  'brake_lines',
  'select id, account_id from lines where $1::text[] is null or id = any ($1::text[]) order by id',
);

/** These lines with their accounts, or all there are. */
export async function linesToLookAt(
  db: Queryable,
  ids: readonly string[] | null,
): Promise<Array<{ lineId: LineId; accountId: AccountId }>> {
  const rows = await db.run(LINES, [ids]);
  return rows.map(({ id: lineId, account_id: accountId }) => ({ lineId, accountId }));
}

function toBrake(row: Row): LineBrake {
  const { calls_per_second: callsPerSecond, requests_per_second: requestsPerSecond } = row;
  const isPaced = callsPerSecond !== null && requestsPerSecond !== null;
  return {
    accountId: row.account_id,
    lineId: row.line_id,
    state: row.state,
    since: row.since,
    because: row.because,
    actor: row.actor,
    reason: row.reason,
    countFrom: row.count_from,
    pace: isPaced ? { callsPerSecond, requestsPerSecond } : null,
  };
}
