-- Calls that wait are listed for each line by their time, and a plan counts how many calls a minute
-- has already; neither may read what has ended. `put_off` is the code of what a call waits for that
-- was due already; null where it waits for its time only.
alter table calls add column put_off text;
create index calls_waiting on calls (line_id, due_at, id) where phase = 'queued';
