import { bucketFor } from '../contacts/contact.ts';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import {
  bucketOf,
  type AccountId,
  type ContactId,
  type LineId,
  type PermissionRequestId,
} from '../platform/ids.ts';
import type { Message, MessageContent, MessageId, MessageStatus } from './message.ts';

const SAVE = statement(
  'message_save',
  `insert into messages (bucket, id, account_id, contact_id, line_id, request_id, kind, content,
     status, wamid, due_at, attempts, last_error, created_at, delivered_at, read_at, failure)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::text[], $8::jsonb[], $9::text[], $10::text[], $11::timestamptz[], $12::integer[],
     $13::text[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::jsonb[])
   on conflict (bucket, id) do update
     set status = excluded.status, wamid = excluded.wamid, due_at = excluded.due_at,
         attempts = excluded.attempts, last_error = excluded.last_error,
         delivered_at = coalesce(messages.delivered_at, excluded.delivered_at),
         read_at = coalesce(messages.read_at, excluded.read_at),
         failure = excluded.failure, lease_owner = null, lease_until = null`,
);

export const messageRows: RowStore<Message> = {
  async saveAll(tx, all) {
    // What was on its way when the person was erased must not come back with its words.
    const rows = all.filter(({ contactId }) => tx.keys.get(contactId) !== null);
    await tx.run(SAVE, [
      rows.map((row) => bucketOf(row.id)),
      rows.map((row) => row.id),
      rows.map((row) => row.accountId),
      rows.map((row) => row.contactId),
      rows.map((row) => row.lineId),
      rows.map((row) => row.requestId),
      rows.map((row) => row.content.kind),
      rows.map((row) => JSON.stringify(row.content)),
      rows.map((row) => row.status),
      rows.map((row) => row.wamid),
      rows.map((row) => at(row.dueAt)),
      rows.map((row) => row.attempts),
      rows.map((row) => row.lastError),
      rows.map((row) => at(row.createdAt)),
      rows.map((row) => at(row.deliveredAt ?? null)),
      rows.map((row) => at(row.readAt ?? null)),
      rows.map((row) => JSON.stringify(row.failure ?? null)),
    ]);
  },
};

type MessageRow = {
  id: MessageId;
  account_id: AccountId;
  contact_id: ContactId;
  line_id: LineId;
  request_id: PermissionRequestId | null;
  content: MessageContent;
  status: MessageStatus;
  wamid: string | null;
  due_at: number;
  turn_at: number | null;
  attempts: number;
  last_error: string | null;
  created_at: number;
  delivered_at: number | null;
  read_at: number | null;
  failure: Message['failure'];
};

const COLUMNS = `id, account_id, contact_id, line_id, request_id, content, status, wamid, due_at,
  turn_at, attempts, last_error, created_at, delivered_at, read_at, failure`;

const READ = statement<MessageRow>(
  'message_read',
  `select ${COLUMNS} from messages where bucket = $1 and id = $2`,
);

export async function readMessage(db: Queryable, id: MessageId): Promise<Message | null> {
  const row = await db.first(READ, [bucketOf(id), id]);
  return row === undefined ? null : toMessage(row);
}

const LIST = statement<MessageRow>(
  'message_list',
  `select ${COLUMNS} from messages
    where account_id = $1 and bucket = $2 and contact_id = $3 and ($4::text is null or id < $4)
    order by id desc limit $5`,
);

/** What was sent to a contact, newest first. */
export async function listMessages(
  db: Queryable,
  accountId: AccountId,
  { contactId, after, limit }: { contactId: ContactId; after: string | null; limit: number },
): Promise<Message[]> {
  const values = [accountId, bucketOf(contactId), contactId, after, limit];
  return (await db.run(LIST, values)).map(toMessage);
}

const CLAIM = statement<MessageRow>(
  'message_claim',
  `update messages m set status = 'sending', lease_owner = $3, attempts = m.attempts + 1,
          lease_until = now() + make_interval(secs => $4)
    where (m.bucket, m.id) in (
      select bucket, id from messages
       where (status = 'queued' and due_at <= $1)
       order by due_at, id limit $2 for update skip locked)
   returning ${COLUMNS}`,
);

/** Takes due messages for this worker, oldest first; each is sent by one worker at most. */
export async function claimMessages(
  db: Queryable,
  now: number,
  limit: number,
  owner: string,
  leaseSeconds: number,
): Promise<Message[]> {
  const claimed = await db.run(CLAIM, [at(now), limit, owner, leaseSeconds]);
  return claimed.map(toMessage).sort(byAge);
}

/** Ids begin with their time; RETURNING promises no order. */
function byAge(a: Message, b: Message): number {
  return a.id < b.id ? -1 : 1;
}

const PUT_OFF = statement(
  'message_put_off',
  `update messages set status = 'queued', due_at = $3, turn_at = $3, attempts = attempts - 1,
          lease_owner = null, lease_until = null
    where bucket = $1 and id = $2 and status = 'sending'`,
);

/** Puts a message back that its worker has claimed and not tried: its turn comes later. */
export async function putOff(db: Queryable, id: MessageId, turnAt: number): Promise<void> {
  await db.run(PUT_OFF, [bucketOf(id), id, at(turnAt)]);
}

const RELEASE_TURNS = statement(
  'message_release_turns',
  `update messages set due_at = $2, turn_at = null
    where line_id = $1 and status = 'queued' and turn_at > $2`,
);

/** The line is not slowed any more: what waited for its turn is due now. */
export async function releaseTurns(tx: Tx, lineId: LineId, now: number): Promise<void> {
  await tx.run(RELEASE_TURNS, [lineId, at(now)]);
}

const GIVE_UP = statement<MessageRow>(
  'message_give_up',
  `update messages set status = 'unknown', last_error = 'the sender stopped before Meta answered'
    where status = 'sending' and lease_until < now() returning ${COLUMNS}`,
);

/**
 * Messages whose worker died while sending: nobody knows whether Meta took them, so they are not
 * sent again.
 */
export async function giveUpLostMessages(db: Queryable): Promise<Message[]> {
  return (await db.run(GIVE_UP)).map(toMessage).sort(byAge);
}

const NAME = statement(
  'message_name_external',
  `insert into external_ids (bucket, external_id, our_id) values ($1, $2, $3)
   on conflict (bucket, external_id) do nothing`,
);

/** Remembers which of our ids (a message, a call) an id of Meta's stands for. */
export async function nameExternalId(
  tx: Tx,
  externalId: string,
  ourId: MessageId | string,
): Promise<void> {
  await tx.run(NAME, [bucketFor(externalId), externalId, ourId]);
}

const RESOLVE = statement<{ our_id: string }>(
  'message_resolve_external',
  'select our_id from external_ids where bucket = $1 and external_id = $2',
);

export async function resolveExternalId(db: Queryable, externalId: string): Promise<string | null> {
  return (await db.first(RESOLVE, [bucketFor(externalId), externalId]))?.our_id ?? null;
}

const OF_CONTACT = statement<MessageRow>(
  'message_of_contact',
  `select ${COLUMNS} from messages where bucket = $1 and contact_id = $2 order by id`,
);

/** All that was ever written to a contact and is still kept, oldest first. */
export async function messagesOfContact(db: Queryable, contactId: ContactId): Promise<Message[]> {
  return (await db.run(OF_CONTACT, [bucketOf(contactId), contactId])).map(toMessage);
}

const SENDING = statement<{ sending: boolean }>(
  'message_sending',
  `select exists (select from messages
    where (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[]))
      and status = 'sending' and lease_until > now()) as sending`,
);

/** Whether a message to one of them is on its way to Meta right now. */
export async function isSending(db: Queryable, contactIds: readonly ContactId[]): Promise<boolean> {
  const values = [contactIds.map((id) => bucketOf(id)), contactIds];
  return (await db.first(SENDING, values))?.sending === true;
}

const FORGET = statement<{ wamid: string | null }>(
  'message_forget',
  'delete from messages where bucket = $1 and contact_id = $2 returning wamid',
);

/** Deletes what was sent to a contact, and what waits to be; returns Meta's ids of it. */
export async function forgetMessages(tx: Tx, contactId: ContactId): Promise<string[]> {
  const rows = await tx.run(FORGET, [bucketOf(contactId), contactId]);
  return rows.flatMap(({ wamid }) => (wamid === null ? [] : [wamid]));
}

const FORGET_NAMES = statement(
  'message_forget_external',
  `delete from external_ids
    where (bucket, external_id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

/** Meta's ids hold the person's number in base64. */
export async function forgetExternalIds(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.run(FORGET_NAMES, [ids.map((id) => bucketFor(id)), ids]);
}

function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    accountId: row.account_id,
    contactId: row.contact_id,
    lineId: row.line_id,
    requestId: row.request_id,
    content: row.content,
    status: row.status,
    wamid: row.wamid,
    dueAt: row.due_at,
    turnAt: row.turn_at,
    attempts: row.attempts,
    lastError: row.last_error,
    createdAt: row.created_at,
    deliveredAt: row.delivered_at,
    readAt: row.read_at,
    failure: row.failure ?? null,
  };
}
