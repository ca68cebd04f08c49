-- Checkpoints of the ledger: a tree per account over all entries, and its signed roots.

-- A row says: this contact has entries that no checkpoint covers yet. It is written with them and
-- deleted with the checkpoint, so nothing depends on the order in which transactions commit. It
-- has no index, because every write of the ledger would pay for it; the reader takes any rows.
create table ledger_pending (
  bucket smallint not null,
  contact_id text not null,
  account_id text not null
) with (
  -- Cutting the empty end off the file would lock out the writers for a moment.
  vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000
);

-- Which leaves a contact's entries are: neighbours in the chain that came under one checkpoint.
create table ledger_runs (
  bucket smallint not null,
  contact_id text not null,
  first_sequence bigint not null,
  entries integer not null check (entries > 0),
  first_leaf bigint not null,
  primary key (bucket, contact_id, first_sequence)
);

-- Up to 256 hashes of every eighth level of the tree (RFC 6962 section 2.1).
create table ledger_tiles (
  account_id text not null,
  level smallint not null,
  tile bigint not null,
  hashes bytea not null,
  primary key (account_id, level, tile)
);
-- Hashes cannot be compressed.
alter table ledger_tiles alter column hashes set storage external;

create table ledger_checkpoints (
  account_id text not null,
  size bigint not null,
  root bytea not null,
  at timestamptz not null,
  note text not null,
  primary key (account_id, size)
);

-- Who makes checkpoints. The epoch grows with each holder, so that one who lost the lease without
-- noticing cannot commit any more.
create table ledger_checkpointer (
  one boolean primary key default true check (one),
  owner text,
  epoch bigint not null default 0,
  lease_until timestamptz not null default '-infinity',
  made_at timestamptz
);
insert into ledger_checkpointer default values;

-- What was written before there were checkpoints comes under the first ones.
insert into ledger_pending (bucket, contact_id, account_id)
  select bucket, id, account_id from contacts where ledger_sequence > 0;
