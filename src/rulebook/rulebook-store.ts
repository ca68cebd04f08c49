import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId, Id, Ids, LineId } from '../platform/ids.ts';
import type { Limits } from '../policy/limits.ts';

export type PolicyChangeId = Id<'policyChange'>;
export type PolicyReportId = Id<'policyReport'>;
export type ChangeKind = 'account_policy' | 'line_policy' | 'line_pack';

/** Who changed which rules, when, from what to what. */
export type PolicyChange = {
  id: PolicyChangeId;
  lineId: LineId | null;
  kind: ChangeKind;
  actor: string;
  before: unknown;
  after: unknown;
  reportId: PolicyReportId | null;
  at: number;
};

const LOCK_ACCOUNT = statement<{ policy: unknown }>(
  'rulebook_lock_account',
  `select settings -> 'policy' as policy from accounts where id = $1 for update`,
);

/** What the account has stored; the lock makes two changes at once follow one another. */
export async function lockAccountPolicy(tx: Tx, accountId: AccountId): Promise<unknown> {
  return (await tx.first(LOCK_ACCOUNT, [accountId]))?.policy ?? null;
}

const READ_ACCOUNT = statement<{ policy: unknown }>(
  'rulebook_read_account',
  `select settings -> 'policy' as policy from accounts where id = $1`,
);

export async function readAccountPolicy(db: Queryable, accountId: AccountId): Promise<unknown> {
  return (await db.first(READ_ACCOUNT, [accountId]))?.policy ?? null;
}

const SET_LINE_LIMITS = statement(
  'rulebook_set_line_limits',
  'update lines set own_limits = $3 where account_id = $1 and id = $2',
);

export async function saveLineLimits(
  tx: Tx,
  accountId: AccountId,
  lineId: LineId,
  limits: Limits,
): Promise<void> {
  await tx.run(SET_LINE_LIMITS, [accountId, lineId, JSON.stringify(limits)]);
}

const SET_LINE_PACK = statement(
  'rulebook_set_line_pack',
  'update lines set policy_pack = $3 where account_id = $1 and id = $2',
);

export async function saveLinePack(
  tx: Tx,
  accountId: AccountId,
  lineId: LineId,
  pack: string,
): Promise<void> {
  await tx.run(SET_LINE_PACK, [accountId, lineId, pack]);
}

/** The frame of a change that an API key makes now. */
export function newChange(
  { clock, ids }: { clock: Clock; ids: Ids },
  keyId: string,
): Pick<PolicyChange, 'id' | 'actor' | 'at' | 'reportId'> {
  return { id: ids.next('policyChange'), actor: `api:${keyId}`, at: clock.now(), reportId: null };
}

const ADD_CHANGE = statement(
  'rulebook_add_change',
  `insert into policy_changes (account_id, id, line_id, kind, actor, before, after, report_id, at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);

export async function addChange(tx: Tx, accountId: AccountId, change: PolicyChange): Promise<void> {
  const { id, lineId, kind, actor, before, after, reportId } = change;
  const texts = [JSON.stringify(before), JSON.stringify(after)];
  const values = [accountId, id, lineId, kind, actor, ...texts, reportId, at(change.at)];
  await tx.run(ADD_CHANGE, values);
}

type ChangeRow = {
  id: PolicyChangeId;
  line_id: LineId | null;
  kind: ChangeKind;
  actor: string;
  before: unknown;
  after: unknown;
  report_id: PolicyReportId | null;
  at: number;
};

const CHANGES = statement<ChangeRow>(
  'rulebook_changes',
  `select id, line_id, kind, actor, before, after, report_id, at from policy_changes
    where account_id = $1 and ($2::text is null or id < $2) order by id desc limit $3`,
);

/** The newest first. */
export async function listChanges(
  db: Queryable,
  accountId: AccountId,
  after: string | null,
  limit: number,
): Promise<PolicyChange[]> {
  const rows = await db.run(CHANGES, [accountId, after, limit]);
  return rows.map(({ line_id: lineId, report_id: reportId, ...rest }) => ({
    ...rest,
    lineId,
    reportId,
  }));
}

/** The rules that a report compares. */
export type RuleChoice = { policyPack: string; lawOverlays: unknown };

export type StoredReport = {
  id: PolicyReportId;
  lineId: LineId;
  before: RuleChoice;
  after: RuleChoice;
  result: unknown;
  madeAt: number;
};

const ADD_REPORT = statement(
  'rulebook_add_report',
  `insert into policy_reports (account_id, id, line_id, before, after, result, made_at)
   values ($1, $2, $3, $4, $5, $6, $7)`,
);

export async function addReport(
  db: Queryable,
  accountId: AccountId,
  report: StoredReport,
): Promise<void> {
  const { id, lineId, before, after, result, madeAt } = report;
  const texts = [before, after, result].map((value) => JSON.stringify(value));
  await db.run(ADD_REPORT, [accountId, id, lineId, ...texts, at(madeAt)]);
}

type ReportRow = {
  id: PolicyReportId;
  line_id: LineId;
  before: RuleChoice;
  after: RuleChoice;
  result: unknown;
  made_at: number;
};

const READ_REPORT = statement<ReportRow>(
  'rulebook_read_report',
  `select id, line_id, before, after, result, made_at from policy_reports
    where account_id = $1 and id = $2`,
);

export async function readReport(
  db: Queryable,
  accountId: AccountId,
  id: PolicyReportId,
): Promise<StoredReport | null> {
  const row = await db.first(READ_REPORT, [accountId, id]);
  if (row === undefined) return null;
  const { line_id: lineId, made_at: madeAt, ...rest } = row;
  return { ...rest, lineId, madeAt };
}
