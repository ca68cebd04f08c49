-- Call scripts: every version stays, because a call keeps the one that it was asked for with. The
-- secret signs what a script asks of a web service; it is of the script, so versions share it.
create table scripts (
  id text not null,
  version integer not null check (version > 0),
  account_id text not null references accounts (id),
  name text not null,
  document jsonb not null,
  -- Names of the uploaded prompts that it plays.
  prompts text[] not null default '{}',
  secret bytea,
  is_latest boolean not null,
  created_at timestamptz not null,
  primary key (id, version)
);

create unique index scripts_latest on scripts (account_id, id) where is_latest;

-- Uploaded sounds, as the media plane plays them. In the database, so that every node and every
-- backup has them; a node keeps a copy on its disk. A new sound under an old name is a new id.
create table prompts (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  duration_ms integer not null,
  sound bytea not null,
  created_at timestamptz not null,
  unique (account_id, name)
);
