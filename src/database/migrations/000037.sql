-- Exports of call detail records as jobs. The file lies in sealed pieces until it expires; whoever
-- goes on with it begins behind the last piece, which commits together with how far it is.
create table cdr_exports (
  id text primary key,
  account_id text not null references accounts (id),
  format text not null check (format in ('csv', 'jsonl')),
  from_at timestamptz,
  to_at timestamptz not null,
  state text not null
    check (state in ('queued', 'running', 'done', 'failed', 'canceled', 'expired')),
  after_call_id text,
  pieces integer not null default 0,
  records bigint not null default 0,
  -- How many there are in all; counted as the first piece is begun.
  total bigint,
  bytes bigint not null default 0,
  error jsonb,
  -- By the database's clock.
  lease_owner text,
  lease_until timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz
);
create index cdr_exports_of_account on cdr_exports (account_id, id desc);
create index cdr_exports_open on cdr_exports (id) where state in ('queued', 'running');
create index cdr_exports_expiring on cdr_exports (expires_at) where state = 'done';

create table cdr_export_pieces (
  export_id text not null references cdr_exports (id),
  position integer not null,
  bytes bytea not null,
  primary key (export_id, position)
);

-- For the copy that a person asks for.
create index call_outcomes_of_contact on call_outcomes (bucket, contact_id);
