import type { Attribution } from '../attribution/attribution.ts';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import type { MessageId } from '../messages/message.ts';
import { bucketOf, type AccountId, type CallId, type ContactId } from '../platform/ids.ts';
import type { LineId } from '../platform/ids.ts';
import type { Score, Survey } from './survey.ts';

const SAVE = statement(
  'survey_save',
  `insert into surveys (bucket, call_id, account_id, contact_id, line_id, way, status, message_id,
     asked_at, answered_at, score, attribution)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::smallint[], $12::jsonb[])
   on conflict (bucket, call_id) do update
     set way = excluded.way, status = excluded.status, message_id = excluded.message_id,
         asked_at = excluded.asked_at, answered_at = excluded.answered_at, score = excluded.score`,
);

/** One survey per call: a second one of the same call replaces its row, and never adds one. */
export const surveyRows: RowStore<Survey> = {
  async saveAll(tx, rows) {
    await tx.run(SAVE, [
      rows.map((row) => bucketOf(row.callId)),
      rows.map((row) => row.callId),
      rows.map((row) => row.accountId),
      rows.map((row) => row.contactId),
      rows.map((row) => row.lineId),
      rows.map((row) => row.way),
      rows.map((row) => row.status),
      rows.map((row) => row.messageId),
      rows.map((row) => at(row.askedAt)),
      rows.map((row) => at(row.answeredAt)),
      rows.map((row) => row.score),
      rows.map((row) => (row.attribution === null ? null : JSON.stringify(row.attribution))),
    ]);
  },
};

type SurveyRow = {
  call_id: CallId;
  account_id: AccountId;
  contact_id: ContactId;
  line_id: LineId;
  way: Survey['way'];
  status: Survey['status'];
  message_id: MessageId | null;
  asked_at: number;
  answered_at: number | null;
  score: Score | null;
  attribution: Attribution | null;
};

const COLUMNS = `call_id, account_id, contact_id, line_id, way, status, message_id, asked_at,
  answered_at, score, attribution`;

const READ = statement<SurveyRow>(
  'survey_read',
  `select ${COLUMNS} from surveys where bucket = $1 and call_id = $2`,
);

export async function readSurvey(db: Queryable, callId: CallId): Promise<Survey | null> {
  const row = await db.first(READ, [bucketOf(callId), callId]);
  return row === undefined ? null : toSurvey(row);
}

const LATEST = statement<SurveyRow>(
  'survey_latest_of_contacts',
  `select ${COLUMNS} from surveys
    where (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[]))
      and line_id = $3 and asked_at >= $4 and way = 'message'
    order by asked_at desc, call_id desc limit 1`,
);

/** The newest survey by message that these contacts, who are one person, got since then. */
export async function latestSurvey(
  tx: Tx,
  contactIds: readonly ContactId[],
  lineId: LineId,
  since: number,
): Promise<Survey | null> {
  const buckets = contactIds.map((id) => bucketOf(id));
  const row = await tx.first(LATEST, [buckets, contactIds, lineId, at(since)]);
  return row === undefined ? null : toSurvey(row);
}

const LIST = statement<SurveyRow>(
  'survey_list',
  `select ${COLUMNS} from surveys
    where account_id = $1 and ($2::text is null or call_id < $2)
    order by call_id desc limit $3`,
);

/** The surveys of an account, the newest calls first. */
export async function listSurveys(
  db: Queryable,
  accountId: AccountId,
  after: string | null,
  limit: number,
): Promise<Survey[]> {
  return (await db.run(LIST, [accountId, after, limit])).map(toSurvey);
}

const OF_CALLS = statement<SurveyRow>(
  'survey_of_calls',
  `select ${COLUMNS} from surveys
    where (bucket, call_id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

/** The surveys that there are of these calls. */
export async function surveysOfCalls(db: Queryable, ids: readonly CallId[]): Promise<Survey[]> {
  if (ids.length === 0) return [];
  return (await db.run(OF_CALLS, [ids.map((id) => bucketOf(id)), ids])).map(toSurvey);
}

const OF_CONTACT = statement<SurveyRow>(
  'survey_of_contact',
  `select ${COLUMNS} from surveys where bucket = $1 and contact_id = $2 order by asked_at`,
);

/** All surveys of one contact, oldest first. */
export async function surveysOfContact(db: Queryable, contactId: ContactId): Promise<Survey[]> {
  return (await db.run(OF_CONTACT, [bucketOf(contactId), contactId])).map(toSurvey);
}

function toSurvey(row: SurveyRow): Survey {
  return {
    callId: row.call_id,
    accountId: row.account_id,
    contactId: row.contact_id,
    lineId: row.line_id,
    way: row.way,
    status: row.status,
    messageId: row.message_id,
    askedAt: row.asked_at,
    answeredAt: row.answered_at,
    score: row.score,
    attribution: row.attribution,
  };
}
