-- People who answer in the browser, and the call that rings or talks there. The one call that an
-- agent may have is a part of the agent's row: one update takes an agent, and no second can.
create table agents (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  groups text[] not null,
  -- SHA-256 of the token; the token itself was shown once.
  token_hash bytea not null unique,
  presence text not null default 'away' check (presence in ('available', 'away', 'wrap_up')),
  -- When `wrap_up` ends by itself.
  wrap_up_until timestamptz,
  -- Since when the agent has had no call: the longest idle one is asked first.
  idle_since timestamptz not null,
  -- A browser that is gone stops renewing it. By the database's clock.
  lease_until timestamptz,
  -- The call that was talked in last: its outcome may still be written.
  last_call_id text,
  created_at timestamptz not null,
  removed_at timestamptz,
  ring_id text,
  ring_call_id text,
  ring_state text check (ring_state in ('ringing', 'answered', 'declined', 'ended')),
  ring_owner text,
  ring_offer text,
  ring_answer text,
  ring_lease_until timestamptz
);
create unique index agents_by_name on agents (account_id, name) where removed_at is null;
create index agents_waiting on agents (account_id, idle_since) where removed_at is null;
create index agents_ringing on agents (ring_owner) where ring_id is not null;
