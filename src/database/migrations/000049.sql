-- Questions that are to be asked later: the rows are the schedule. One that was asked is a
-- permission request of the same id, and no row here any more.
create table planned_requests (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  line_id text not null,
  -- planned, cancelled or refused
  status text not null,
  due_at timestamptz not null,
  state jsonb not null,
  sealed bytea,
  created_at timestamptz not null,
  primary key (bucket, id)
);
create index planned_requests_due on planned_requests (bucket, due_at) where status = 'planned';
create index planned_requests_of_contact on planned_requests (bucket, contact_id);
create index planned_requests_of_account on planned_requests (account_id, id desc);
