import { at, statement, type Queryable } from '../database/database.ts';
import { ID_PREFIXES, bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';
import type { LineId } from '../platform/ids.ts';
import type { TemplateRate } from './low-grant-rate.ts';
import type { OptOutRateFacts } from './high-opt-out-rate.ts';

/** Counts over an account's last days; each is one statement, exact, over an index of its own. */
export type Span = { accountId: AccountId; lineId: LineId | null; from: number; until: number };

/** Ids sort by time, so the first id of an instant bounds an index that knows no times. */
function firstId(kind: 'permissionRequest' | 'call', from: number): string {
  const hex = Math.max(0, from).toString(16).padStart(12, '0');
  return `${ID_PREFIXES[kind]}_${hex.slice(0, 8)}-${hex.slice(8)}`;
}

const valuesOf = (span: Span, kind: 'permissionRequest' | 'call') =>
  [span.accountId, span.lineId, firstId(kind, span.from), at(span.from), at(span.until)] as const;

const GRANT_RATES = statement<Omit<TemplateRate, 'findings'>>(
  'diagnosis_grant_rates',
  `select state -> 'request' ->> 'template' as template,
          state -> 'request' ->> 'language' as language,
          count(*) filter (where status <> 'failed') as sent,
          count(*) filter (where status = 'failed') as failed,
          count(*) filter (where status = 'granted') as granted,
          count(*) filter (where status = 'declined') as declined,
          count(*) filter (where status = 'lapsed') as lapsed
     from permission_requests
    where account_id = $1 and ($2::text is null or line_id = $2) and id >= $3
      and created_at >= $4 and created_at < $5
    group by 1, 2 order by 3 desc, 1, 2`,
);

/** What became of an account's requests, by template and language. */
export async function grantRates(
  db: Queryable,
  span: Span,
): Promise<Array<Omit<TemplateRate, 'findings'>>> {
  return db.run(GRANT_RATES, valuesOf(span, 'permissionRequest'));
}

const REACHED = statement<{ reached: number }>(
  'diagnosis_reached',
  `select count(*) as reached from (
     select contact_id from permission_requests
      where account_id = $1 and ($2::text is null or line_id = $2) and id >= $3
        and created_at >= $5 and created_at < $6 and status <> 'failed'
     union
     select contact_id from calls
      where account_id = $1 and ($2::text is null or line_id = $2) and id >= $4
        and created_at >= $5 and created_at < $6
        and state -> 'facts' ->> 'dialingAt' is not null) r`,
);

/** The literal type lets the index of opt-outs serve it. */
const OPT_OUTS = statement<{ way: string | null; opt_outs: number; soon: number }>(
  'diagnosis_opt_outs',
  `select l.data ->> 'way' as way, count(*) as opt_outs,
          count(*) filter (where exists (
            select from calls c where c.bucket = l.bucket and c.contact_id = l.contact_id
              and c.state -> 'facts' ->> 'dialingAt' is not null
              and c.created_at > l.at - interval '24 hours' and c.created_at <= l.at)) as soon
     from ledger l
    where l.type = 'OptedOut' and l.account_id = $1
      and ($2::text is null or l.data ->> 'lineId' = $2) and l.at >= $3 and l.at < $4
    group by 1 order by 2 desc, 1`,
);

const OFF_PURPOSE = statement<{ blocked: number }>(
  'diagnosis_off_purpose',
  `select count(*) as blocked from ledger
    where type = 'CallBlocked' and account_id = $1
      and ($2::text is null or data ->> 'lineId' = $2) and at >= $3 and at < $4
      and data ->> 'code' in ('purpose_mismatch', 'permission_without_purpose')`,
);

const CALLS = statement<{ placed: number; answered: number; cut_short: number }>(
  'diagnosis_calls',
  `select count(*) filter (where r.record ->> 'dialedAt' is not null) as placed,
          count(*) filter (where r.record ->> 'answeredAt' is not null) as answered,
          count(*) filter (where r.record ->> 'answeredAt' is not null
            and r.record ->> 'endedBy' = 'customer'
            and (r.record ->> 'billableSeconds')::numeric < 20) as cut_short
     from cdrs r
    where r.account_id = $1 and ($2::text is null or r.record ->> 'lineId' = $2)
      and r.call_id >= $3 and r.ended_at >= $4 and r.ended_at < $5`,
);

const CROWDED = statement<{ crowded: number; most: number }>(
  'diagnosis_crowded',
  `select count(*) filter (where calls >= 3) as crowded, coalesce(max(calls), 0) as most
     from (select count(*) as calls from calls
            where account_id = $1 and ($2::text is null or line_id = $2) and id >= $3
              and created_at >= $4 and created_at < $5
              and state -> 'facts' ->> 'dialingAt' is not null
            group by contact_id) c`,
);

const WEEK_MS = 7 * 86_400_000;

/** All that the rate of opt-outs is judged by, except the number of days. */
export async function optOutFigures(
  db: Queryable,
  span: Span,
): Promise<Omit<OptOutRateFacts, 'days'>> {
  const { accountId, lineId, from, until } = span;
  const times = [at(from), at(until)] as const;
  const first = firstId('permissionRequest', from);
  const calls = firstId('call', from);
  const week = { ...span, from: Math.max(from, until - WEEK_MS) };
  const [reached] = await db.run(REACHED, [accountId, lineId, first, calls, ...times]);
  const ways = await db.run(OPT_OUTS, [accountId, lineId, ...times]);
  const [purpose] = await db.run(OFF_PURPOSE, [accountId, lineId, ...times]);
  const [placed] = await db.run(CALLS, valuesOf(span, 'call'));
  const [crowd] = await db.run(CROWDED, valuesOf(week, 'call'));
  return {
    reached: reached?.reached ?? 0,
    optOuts: ways.reduce((sum, { opt_outs }) => sum + opt_outs, 0),
    ways: ways.map(({ way, opt_outs }) => ({ way: way ?? 'unknown', optOuts: opt_outs })),
    soonAfterCall: ways.reduce((sum, { soon }) => sum + soon, 0),
    offPurpose: purpose?.blocked ?? 0,
    calls: {
      placed: placed?.placed ?? 0,
      answered: placed?.answered ?? 0,
      cutShort: placed?.cut_short ?? 0,
      crowded: crowd?.crowded ?? 0,
      mostPerCustomer: crowd?.most ?? 0,
    },
  };
}

/** What shows that somebody is there: a message on the phone, or a word from the person. */
const REACHING = [
  'PermissionRequestDelivered',
  'PermissionRequestRead',
  'PermissionGranted',
  'PermissionDeclined',
  'QuickReplyReceived',
  'OptedOut',
  'CallRinging',
  'CallAnswered',
];

const LATEST = statement<{ at: number; type: string; code: string | null }>(
  'diagnosis_latest',
  `select at, type, data ->> 'code' as code from ledger
    where bucket = $1 and contact_id = $2 and type = any ($3)
      and ($4::text is null or data ->> 'lineId' is null or data ->> 'lineId' = $4)
    order by sequence desc limit 1`,
);

async function latest(
  db: Queryable,
  contactId: ContactId,
  types: readonly string[],
  lineId: LineId | null,
): Promise<{ at: number; code: string | null } | null> {
  return (await db.first(LATEST, [bucketOf(contactId), contactId, types, lineId])) ?? null;
}

/** When it last showed that the person is there; null when it never did. */
export async function reachedAt(db: Queryable, contactId: ContactId): Promise<number | null> {
  return (await latest(db, contactId, REACHING, null))?.at ?? null;
}

/** The last call, or the last request, that was refused on a line. */
export async function lastRefusal(
  db: Queryable,
  contactId: ContactId,
  lineId: LineId,
  type: 'CallBlocked' | 'PermissionRequestRefused',
): Promise<{ at: number; code: string } | null> {
  const found = await latest(db, contactId, [type], lineId);
  return found === null ? null : { at: found.at, code: found.code ?? 'refused' };
}

const LAST_HEARD = statement<{ last_inbound_at: number }>(
  'diagnosis_last_heard',
  `select last_inbound_at from message_windows
    where bucket = $1 and contact_id = $2 and line_id = $3`,
);

const WINDOW_MS = 24 * 3_600_000;

/** Until when the customer's last message keeps the window open; null when nothing ever came. */
export async function windowUntil(
  db: Queryable,
  contactId: ContactId,
  lineId: LineId,
): Promise<number | null> {
  const row = await db.first(LAST_HEARD, [bucketOf(contactId), contactId, lineId]);
  return row === undefined ? null : row.last_inbound_at + WINDOW_MS;
}
