-- Recordings of calls: where the sealed file lies, how far it came, and that it was deleted. The
-- key is in no column; it follows from the contact's own, and is gone with it.
create table recordings (
  bucket smallint not null,
  id text not null,
  account_id text not null references accounts (id),
  contact_id text not null,
  call_id text not null,
  state text not null
    check (state in ('announcing', 'recording', 'paused', 'ready', 'failed', 'deleted')),
  -- The node on whose disk the file was made.
  node text not null,
  -- Who was told that the call is recorded, and how: a word of announcement.ts.
  announced text not null,
  started_at timestamptz,
  ended_at timestamptz,
  duration_ms bigint,
  bytes bigint,
  -- What cut it short, or why there is nothing to hear, or who deleted it.
  reason text,
  created_at timestamptz not null,
  deleted_at timestamptz,
  -- Null: a file may still lie on the disk of that node.
  file_gone_at timestamptz,
  primary key (bucket, id)
);

create index recordings_of_call on recordings (bucket, call_id);
create index recordings_of_contact on recordings (bucket, contact_id);
create index recordings_kept on recordings (account_id, ended_at) where deleted_at is null;
create index recordings_open on recordings (node)
  where state in ('announcing', 'recording', 'paused');
create index recordings_to_unlink on recordings (node)
  where deleted_at is not null and file_gone_at is null;
