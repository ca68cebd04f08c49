-- Ground tables. `bucket` (0-63) stands first in every key of a contact-owned table: one contact,
-- one bucket, one order. Instants are timestamptz. Ids are prefixed UUIDv7 text made by us.

create table accounts (
  id text primary key,
  name text not null,
  settings jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table api_keys (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  mode text not null check (mode in ('test', 'live')),
  key_hash bytea not null unique,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz
);

create table lines (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  display_number text not null,
  country text not null,
  phone_number_id text not null unique,
  waba_id text not null,
  graph_base_url text not null,
  graph_version text not null,
  access_token bytea not null,
  app_secret bytea not null,
  verify_token bytea not null,
  policy_pack text not null,
  default_endpoint_id text,
  enabled boolean not null default true,
  restricted_until timestamptz,
  created_at timestamptz not null default now()
);

create table endpoints (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  uri text not null,
  username text,
  password bytea,
  codecs text[] not null,
  strategy text not null check (strategy in ('on_answer', 'on_ringing', 'agent_first')),
  ring_timeout_ms integer not null,
  created_at timestamptz not null default now(),
  unique (account_id, name)
);

create table webhook_endpoints (
  id text primary key,
  account_id text not null references accounts (id),
  url text not null,
  secret bytea not null,
  event_types text[] not null default '{}',
  enabled boolean not null default true,
  disabled_reason text,
  created_at timestamptz not null default now()
);

create table idempotency_keys (
  account_id text not null,
  key text not null,
  request_hash bytea not null,
  response_status integer not null,
  response_body text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, key)
);

-- Which contact answers to a number or a business-scoped user id. The bucket is the handle's own.
create table contact_handles (
  bucket smallint not null,
  account_id text not null,
  handle text not null,
  contact_id text not null,
  primary key (bucket, account_id, handle)
);

create table contacts (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  e164 text,
  user_id text,
  name text,
  country text,
  opted_out_at timestamptz,
  ledger_sequence bigint not null default 0,
  ledger_hash bytea not null default '',
  created_at timestamptz not null,
  primary key (bucket, id)
);
create index contacts_of_account on contacts (account_id, id desc);

create table do_not_call (
  bucket smallint not null,
  account_id text not null,
  handle_hmac bytea not null,
  reason text not null,
  source text not null,
  added_at timestamptz not null,
  primary key (bucket, account_id, handle_hmac)
);

-- Meta's ids (wamid, wacid) to ours. The bucket is that of the external id.
create table external_ids (
  bucket smallint not null,
  external_id text not null,
  our_id text not null,
  created_at timestamptz not null default now(),
  primary key (bucket, external_id)
);

-- Facts already folded: a webhook that comes twice changes nothing.
create table seen_facts (
  bucket smallint not null,
  contact_id text not null,
  key text not null,
  seen_at timestamptz not null,
  primary key (bucket, contact_id, key)
);

create table ledger (
  bucket smallint not null,
  contact_id text not null,
  sequence bigint not null,
  id text not null,
  account_id text not null,
  type text not null,
  actor text not null,
  at timestamptz not null,
  data jsonb not null,
  previous_hash bytea not null,
  hash bytea not null,
  primary key (bucket, contact_id, sequence)
);

create table consents (
  bucket smallint not null,
  contact_id text not null,
  line_id text not null,
  account_id text not null,
  status text not null,
  state jsonb not null,
  -- When our clock must act: the grant expires, or the unanswered request lapses.
  wakes_at timestamptz,
  updated_at timestamptz not null,
  primary key (bucket, contact_id, line_id)
);
create index consents_waking on consents (bucket, wakes_at) where wakes_at is not null;

create table permission_requests (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  line_id text not null,
  status text not null,
  state jsonb not null,
  created_at timestamptz not null,
  primary key (bucket, id)
);
create index permission_requests_of_account on permission_requests (account_id, id desc);

create table permissions (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  line_id text not null,
  status text not null,
  state jsonb not null,
  granted_at timestamptz not null,
  primary key (bucket, id)
);
create index permissions_of_account on permissions (account_id, id desc);

create table messages (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  line_id text not null,
  request_id text,
  kind text not null,
  content jsonb not null,
  status text not null,
  wamid text,
  due_at timestamptz not null,
  attempts integer not null default 0,
  lease_owner text,
  lease_until timestamptz,
  last_error text,
  created_at timestamptz not null,
  primary key (bucket, id)
);
create index messages_due on messages (bucket, due_at) where status in ('queued', 'sending');

create table calls (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  line_id text not null,
  permission_id text,
  status text not null,
  state jsonb not null,
  due_at timestamptz not null,
  lease_owner text,
  lease_until timestamptz,
  created_at timestamptz not null,
  primary key (bucket, id)
);
create index calls_due on calls (bucket, due_at, id) where status = 'queued';
create index calls_live on calls (bucket, lease_until)
  where status in ('dialing', 'initiated', 'ringing', 'answered', 'bridged');
create unique index calls_one_live_per_contact on calls (bucket, contact_id)
  where status in ('dialing', 'initiated', 'ringing', 'answered', 'bridged');
create index calls_of_account on calls (account_id, id desc);
create index calls_of_contact on calls (bucket, contact_id, id desc);

create table cdrs (
  bucket smallint not null,
  call_id text not null,
  id text not null,
  account_id text not null,
  record jsonb not null,
  ended_at timestamptz not null,
  primary key (bucket, call_id)
);
create index cdrs_of_account on cdrs (account_id, call_id desc);

-- The outbox: what the business is told, and its deliveries.
create table events (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  call_id text,
  type text not null,
  sequence bigint not null,
  payload jsonb not null,
  at timestamptz not null,
  primary key (bucket, id)
);
create index events_of_account on events (account_id, id);
create index events_of_call on events (bucket, call_id, id) where call_id is not null;

create table deliveries (
  bucket smallint not null,
  id text not null,
  event_id text not null,
  account_id text not null,
  webhook_id text not null,
  status text not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  lease_owner text,
  lease_until timestamptz,
  last_status integer,
  last_error text,
  delivered_at timestamptz,
  primary key (bucket, id)
);
create index deliveries_due on deliveries (bucket, next_attempt_at) where status = 'pending';
create index deliveries_of_webhook on deliveries (webhook_id, id desc);
