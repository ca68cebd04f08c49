-- Calls wait in lanes: one for each line, endpoint and campaign that belong together. Lanes take
-- turns, so a hundred thousand calls of one campaign let ten of another pass. A lane is a number
-- made from the ids; two that shared one would only share their place in the index. The column is
-- computed by the table itself, so that no writer can forget it; for that the table is written anew.
create function call_lane(line_id text, plan jsonb) returns bigint
  language sql immutable parallel safe
  as $$ select hashtextextended(line_id || '/' || coalesce(plan ->> 'endpointId', '') || '/'
                || coalesce(plan -> 'attribution' ->> 'campaignId', ''), 0) $$;

alter table calls
  add column lane bigint not null
    generated always as (call_lane(line_id, state -> 'plan')) stored,
  -- After this it is not dialled any more; null where that is judged at its turn alone.
  add column latest_at timestamptz;

-- The queue itself: it takes the place of the one by bucket and of the one of urgent calls.
create index calls_by_lane on calls (lane, rank, due_at, id) where phase = 'queued';
drop index calls_due;
drop index calls_urgent;
-- What waits too long is ended by its time, wherever it stands in its lane.
create index calls_lapse on calls (latest_at) where phase = 'queued';
