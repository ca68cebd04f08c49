import { statement, type Queryable } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { OPEN_GUARD } from './target-guard.ts';

/** What an account allows its calls of the outside, and what each of its API keys may use up. */
export type AccountGuard = {
  /** Null allows any host. */
  allowedHosts: readonly string[] | null;
  pstnPrefixes: readonly string[];
  /** Calls at a time and minutes of talk in a day (UTC) of one key; null is without end. */
  keyMaxCalls: number | null;
  keyMinutesPerDay: number | null;
};

/** Of an account that has said nothing. */
export const DEFAULT_GUARD: AccountGuard = {
  allowedHosts: null,
  pstnPrefixes: OPEN_GUARD.pstnPrefixes,
  keyMaxCalls: null,
  keyMinutesPerDay: null,
};

type GuardRow = {
  account_id: AccountId;
  allowed_hosts: string[] | null;
  pstn_prefixes: string[];
  key_max_calls: number | null;
  key_minutes_per_day: number | null;
};

const COLUMNS = 'account_id, allowed_hosts, pstn_prefixes, key_max_calls, key_minutes_per_day';

const ALL = statement<GuardRow>('voip_guard_all', `select ${COLUMNS} from voip_guards`);

/** The guards of all accounts that have set one. */
export async function readGuards(db: Queryable): Promise<Map<AccountId, AccountGuard>> {
  const rows = await db.run(ALL);
  return new Map(
    rows.map((row) => [
      row.account_id,
      {
        allowedHosts: row.allowed_hosts,
        pstnPrefixes: row.pstn_prefixes,
        keyMaxCalls: row.key_max_calls,
        keyMinutesPerDay: row.key_minutes_per_day,
      },
    ]),
  );
}

const SAVE = statement(
  'voip_guard_save',
  `insert into voip_guards (${COLUMNS}) values ($1, $2, $3, $4, $5)
   on conflict (account_id) do update
     set allowed_hosts = excluded.allowed_hosts, pstn_prefixes = excluded.pstn_prefixes,
         key_max_calls = excluded.key_max_calls,
         key_minutes_per_day = excluded.key_minutes_per_day`,
);

export async function saveGuard(
  db: Queryable,
  accountId: AccountId,
  guard: AccountGuard,
): Promise<void> {
  const { allowedHosts, pstnPrefixes, keyMaxCalls, keyMinutesPerDay } = guard;
  await db.run(SAVE, [accountId, allowedHosts, pstnPrefixes, keyMaxCalls, keyMinutesPerDay]);
}
