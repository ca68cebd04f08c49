import { statement, type Database } from '../../src/database/database.ts';

/** The tables as a stranger reads them: with statements of our own, and none of the stores. */
export type CallRow = {
  id: string;
  account: string;
  contact: string;
  line: string;
  status: string;
  dueAt: number;
};

export type LedgerRow = {
  contact: string;
  account: string;
  sequence: number;
  type: string;
  actor: string;
  at: number;
  data: Record<string, unknown>;
  hash: string;
  previous: string;
};

export type Rows = {
  calls: CallRow[];
  cdrs: Array<{ call: string; account: string; record: Record<string, unknown> }>;
  ledger: LedgerRow[];
  events: Array<{
    id: string;
    account: string;
    call: string | null;
    type: string;
    sequence: number;
  }>;
  deliveries: Array<{ event: string; status: string; attempts: number; nextAt: number }>;
  lines: Array<{ id: string; phoneNumberId: string }>;
};

const ROWS = statement<{ rows: Rows }>(
  'simulation_rows',
  `select jsonb_build_object(
    'calls', coalesce((select jsonb_agg(jsonb_build_object('id', id, 'account', account_id,
        'contact', contact_id, 'line', line_id, 'status', status,
        'dueAt', extract(epoch from due_at) * 1000) order by id) from calls), '[]'),
    'cdrs', coalesce((select jsonb_agg(jsonb_build_object('call', call_id, 'account', account_id,
        'record', record) order by call_id) from cdrs), '[]'),
    'ledger', coalesce((select jsonb_agg(jsonb_build_object('contact', contact_id,
        'account', account_id, 'sequence', sequence, 'type', type, 'actor', actor,
        'at', extract(epoch from at) * 1000, 'data', data, 'hash', encode(hash, 'hex'),
        'previous', encode(previous_hash, 'hex')) order by contact_id, sequence)
        from ledger), '[]'),
    'events', coalesce((select jsonb_agg(jsonb_build_object('id', id, 'account', account_id,
        'call', call_id, 'type', type, 'sequence', sequence) order by id) from events), '[]'),
    'deliveries', coalesce((select jsonb_agg(jsonb_build_object('event', event_id,
        'status', status, 'attempts', attempts,
        'nextAt', extract(epoch from next_attempt_at) * 1000) order by id)
        from deliveries), '[]'),
    'lines', (select jsonb_agg(jsonb_build_object('id', id, 'phoneNumberId', phone_number_id)
        order by id) from lines)) as rows`,
);

export async function readRows(database: Database): Promise<Rows> {
  const row = await database.first(ROWS);
  if (row === undefined) throw new Error('no rows');
  return row.rows;
}

export type Schedule = {
  /** When the next row falls due, in ms; Infinity when none will. */
  nextAt: number;
  /** Calls that are being dialled or are up. */
  live: number;
  inboxWaits: boolean;
};

const SCHEDULE = statement<{ next: number | null; live: number; waiting: number }>(
  'simulation_schedule',
  `select extract(epoch from least(
      (select min(due_at) from calls where status = 'queued'),
      (select min(wakes_at) from consents),
      (select min(due_at) from messages where status = 'queued'),
      (select min(lease_until) from messages where status = 'sending'),
      (select min(next_attempt_at) from deliveries where status = 'pending'),
      (select min(next_attempt_at) from whatsapp_inbox where state = 'pending')
    ))::float8 * 1000 as next,
    (select count(*) from calls where status not in ('queued', 'ended')) as live,
    (select count(*) from whatsapp_inbox where state = 'pending') as waiting`,
);

/** The rows are the schedule, so they also tell how far nothing can happen. */
export async function scheduleOf(database: Database): Promise<Schedule> {
  const row = await database.first(SCHEDULE);
  return {
    nextAt: row?.next ?? Infinity,
    live: row?.live ?? 0,
    inboxWaits: (row?.waiting ?? 0) > 0,
  };
}
