-- Calls wait in lanes: one for each line, endpoint and campaign that belong together. Whatever holds
-- a lane up (its pace, its caps, nobody there) is known before a row of it is read, so a hundred
-- thousand calls that must wait cost one look at the first of them, and no other lane waits for them.
-- A lane is a number made from the ids; two that share one would only share their turn.
create function call_lane(line_id text, plan jsonb) returns bigint language sql immutable parallel safe
  as $$ select hashtextextended(line_id || '/' || coalesce(plan ->> 'endpointId', '') || '/'
                || coalesce(plan -> 'attribution' ->> 'campaignId', ''), 0) $$;

alter table calls add column lane bigint not null default 0;
-- 0 goes first: nine less the priority of the call.
alter table calls add column rank smallint not null default 4;
-- Why the dialer put it off last; null where it never did.
alter table calls add column put_off text;
update calls set lane = call_lane(line_id, state -> 'plan') where phase = 'queued';

create index calls_by_lane on calls (lane, rank, due_at, id) where phase = 'queued';

-- How fast calls may follow one another, and how many may be live at a time.
create table pacing_limits (
  account_id text not null,
  scope text not null,
  id text not null,
  calls_per_second double precision,
  concurrent_calls integer,
  -- The instant up to which calls were taken from the pace, by the database's clock.
  paced_until timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, scope, id)
);

-- Calls that a claim has taken room for and that are not yet to be seen as live. A gateway that dies
-- in between gives them back by the database's clock.
create table pacing_holds (
  account_id text not null,
  scope text not null,
  id text not null,
  holder text not null,
  calls integer not null,
  until timestamptz not null,
  primary key (account_id, scope, id, holder)
);
