-- Imports of do-not-call lists.
-- An import is a job: the file waits in pieces, and is gone when the job is over.
create table do_not_call_imports (
  id text primary key,
  account_id text not null,
  list text not null,
  wanted_column text,
  dry_run boolean not null,
  state text not null check (state in ('receiving', 'queued', 'running', 'done', 'failed')),
  bytes bigint not null default 0,
  -- Rows that are settled; after a crash the next worker begins behind them.
  rows bigint not null default 0,
  added bigint not null default 0,
  already bigint not null default 0,
  failed bigint not null default 0,
  error jsonb,
  lease_owner text,
  lease_until timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz
);
create index do_not_call_imports_of_account on do_not_call_imports (account_id, id desc);
create index do_not_call_imports_waiting on do_not_call_imports (id)
  where state in ('queued', 'running');

create table do_not_call_import_chunks (
  import_id text not null,
  position integer not null,
  bytes bytea not null,
  primary key (import_id, position)
);

-- What was wrong with single rows, masked; forgotten after a day.
create table do_not_call_import_failures (
  import_id text not null,
  line bigint not null,
  given text not null,
  rule text not null,
  fix text not null,
  primary key (import_id, line)
);
