-- How fast calls may follow one another, and how many may be live at a time: of an account, a line,
-- an endpoint or a campaign. What a brake sets stands in a row of its own, so that lifting the brake
-- gives back what the operator had set; where both are there, the stricter one holds.
create table pacing_limits (
  account_id text not null references accounts (id),
  scope text not null check (scope in ('account', 'line', 'endpoint', 'campaign')),
  id text not null,
  set_by text not null check (set_by in ('operator', 'brake')),
  calls_per_second double precision check (calls_per_second > 0),
  concurrent_calls integer check (concurrent_calls > 0),
  reason text,
  -- The instant up to which calls were taken from the pace, by the database's clock.
  paced_until timestamptz not null default now(),
  updated_at timestamptz not null,
  primary key (account_id, scope, id, set_by)
);

-- Calls that a claim has taken room for and that are not yet to be seen as live. A gateway that dies
-- or freezes in between gives them back by the database's clock.
create table pacing_holds (
  account_id text not null,
  scope text not null,
  id text not null,
  holder text not null,
  calls integer not null,
  until timestamptz not null,
  primary key (account_id, scope, id, holder)
);
create index pacing_holds_of_holder on pacing_holds (holder);
