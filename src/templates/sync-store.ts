import { at, statement, type Queryable } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import type { TemplateOwner } from './template-store.ts';

/** When each WhatsApp Business account is compared with Meta next, and how the last time went. */
export const SYNC_EVERY_MS = 3_600_000;

const PLAN = statement(
  'template_sync_plan',
  `insert into template_syncs (account_id, waba_id, due_at) values ($1, $2, $3)
   on conflict (account_id, waba_id) do update
     set due_at = least(template_syncs.due_at, excluded.due_at)`,
);

export async function planSync(
  db: Queryable,
  { accountId, wabaId }: TemplateOwner,
  dueAt: number,
): Promise<void> {
  await db.run(PLAN, [accountId, wabaId, at(dueAt)]);
}

const CLAIM = statement<{ account_id: AccountId; waba_id: string }>(
  'template_sync_claim',
  `update template_syncs set due_at = $2 where (account_id, waba_id) in (
     select account_id, waba_id from template_syncs where due_at <= $1
      order by due_at limit $3 for update skip locked)
   returning account_id, waba_id`,
);

/** Takes what is due and puts the next time an hour ahead, so that a crash only costs that. */
export async function claimSyncs(
  db: Queryable,
  now: number,
  limit: number,
): Promise<TemplateOwner[]> {
  const rows = await db.run(CLAIM, [at(now), at(now + SYNC_EVERY_MS), limit]);
  return rows.map(({ account_id: accountId, waba_id: wabaId }) => ({ accountId, wabaId }));
}

const DONE = statement(
  'template_sync_done',
  `insert into template_syncs (account_id, waba_id, due_at, synced_at, last_error)
   values ($1, $2, $3, $4, $5)
   on conflict (account_id, waba_id) do update set due_at = excluded.due_at,
     synced_at = coalesce(excluded.synced_at, template_syncs.synced_at),
     last_error = excluded.last_error`,
);

export async function noteSync(
  db: Queryable,
  { accountId, wabaId }: TemplateOwner,
  outcome: { dueAt: number; syncedAt: number | null; error: string | null },
): Promise<void> {
  const { dueAt, syncedAt, error } = outcome;
  await db.run(DONE, [accountId, wabaId, at(dueAt), at(syncedAt), error]);
}
