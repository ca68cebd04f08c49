-- Brakes: a line whose rolling rates fall below a floor goes slower, then stops, before Meta
-- restricts it. One row per line that ever braked; no row means that it runs freely.
create table line_brakes (
  account_id text not null,
  line_id text not null primary key,
  state text not null check (state in ('free', 'slowed', 'paused')),
  since timestamptz not null,
  -- The rates that were too bad, with their numbers as they were then.
  because jsonb not null,
  -- Who or what changed it last, and in whose words; null where the platform did it by itself.
  actor text not null,
  reason text,
  -- After a resume by hand only what happens from here on is judged.
  count_from timestamptz,
  -- How fast a slowed line may dial and ask.
  calls_per_second double precision,
  requests_per_second double precision,
  -- The turn of the next request while it is slowed.
  next_request_at timestamptz
);
create index line_brakes_of_account on line_brakes (account_id, line_id);

-- A request of a slowed line waits for its turn, and takes one only once.
alter table messages add column turn_at timestamptz;
