import { at, statement, type Queryable } from '../database/database.ts';
import { bucketOf, type ContactId, type LineId } from '../platform/ids.ts';
import type { MetaAnswer } from './meta-answer.ts';

/** Whose permission, on which line. */
export type AnswerKey = { contactId: ContactId; lineId: LineId };

type AnswerRow = {
  contact_id: ContactId;
  line_id: LineId;
  asked_at: number;
  status: MetaAnswer['status'];
  expires_at: number | null;
  can_call: boolean;
  can_request: boolean;
  limits: MetaAnswer['limits'];
};

const SAVE = statement(
  'meta_answer_save',
  `insert into meta_answers (bucket, contact_id, line_id, asked_at, status, expires_at, can_call,
                             can_request, limits)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
   on conflict (bucket, contact_id, line_id) do update
     set asked_at = excluded.asked_at, status = excluded.status, expires_at = excluded.expires_at,
         can_call = excluded.can_call, can_request = excluded.can_request,
         limits = excluded.limits
     where meta_answers.asked_at <= excluded.asked_at`,
);

/** Keeps the latest answer; one that was asked for earlier and came later changes nothing. */
export async function saveAnswer(
  db: Queryable,
  { contactId, lineId }: AnswerKey,
  answer: MetaAnswer,
): Promise<void> {
  const { askedAt, status, expiresAt, canCall, canRequest, limits } = answer;
  const key = [bucketOf(contactId), contactId, lineId];
  const said = [status, at(expiresAt), canCall, canRequest, JSON.stringify(limits)];
  await db.run(SAVE, [...key, at(askedAt), ...said]);
}

const OF_CONTACTS = statement<AnswerRow>(
  'meta_answer_of_contacts',
  `select contact_id, line_id, asked_at, status, expires_at, can_call, can_request, limits
     from meta_answers
    where (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

export type KeyedAnswer = AnswerKey & { answer: MetaAnswer };

/** The latest answers for contacts, on every line that was asked about. */
export async function answersOf(
  db: Queryable,
  contactIds: readonly ContactId[],
): Promise<KeyedAnswer[]> {
  const rows = await db.run(OF_CONTACTS, [contactIds.map((id) => bucketOf(id)), contactIds]);
  return rows.map((row) => ({
    contactId: row.contact_id,
    lineId: row.line_id,
    answer: {
      askedAt: row.asked_at,
      status: row.status,
      expiresAt: row.expires_at,
      canCall: row.can_call,
      canRequest: row.can_request,
      limits: row.limits,
    },
  }));
}

const FORGET = statement(
  'meta_answer_forget',
  'delete from meta_answers where bucket = $1 and contact_id = $2',
);

export async function forgetAnswers(db: Queryable, contactId: ContactId): Promise<void> {
  await db.run(FORGET, [bucketOf(contactId), contactId]);
}
