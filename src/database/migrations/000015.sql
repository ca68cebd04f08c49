-- Several addresses for one endpoint, and how it is called: an endpoint with an empty list has its
-- one address in `uri`, so rows from before keep their meaning.

alter table endpoints
  add column targets jsonb not null default '[]',
  add column options jsonb not null default '{}',
  add column max_calls integer check (max_calls > 0),
  add column minutes_per_day integer check (minutes_per_day > 0);

-- What OPTIONS said last of each address. One row per address and not per check: the past of an
-- endpoint is in its events.

create table endpoint_health (
  endpoint_id text not null references endpoints (id) on delete cascade,
  uri text not null,
  state text not null check (state in ('up', 'down', 'unknown')),
  since timestamptz not null,
  checked_at timestamptz not null,
  status integer not null,
  reason text not null,
  round_trip_ms integer,
  primary key (endpoint_id, uri)
);

-- What an account allows of the outside (VoIP guard), and which endpoint takes which call.

create table voip_guards (
  account_id text primary key references accounts (id),
  allowed_hosts text[],
  pstn_prefixes text[] not null,
  key_max_calls integer check (key_max_calls > 0),
  key_minutes_per_day integer check (key_minutes_per_day > 0)
);

create table routings (
  account_id text primary key references accounts (id),
  rules jsonb not null,
  default_endpoint_id text
);
