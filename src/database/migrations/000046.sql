-- Looking for the runs of a cancelled journey read every live run there is, at each step of any.
-- `started_at` keeps the runs that began after the cancelling out of it, however many there are.
drop index journey_runs_live_of_journey;
create index journey_runs_live_of_journey on journey_runs (journey_id, started_at)
  where status = 'live';
create index journeys_cancelled on journeys (id) where cancel_before is not null;
