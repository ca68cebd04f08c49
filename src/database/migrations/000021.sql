-- Urgent calls that are due go before all others, so they are found by an index of their own. 0 goes
-- first: nine less the priority of the call.
alter table calls add column rank smallint not null default 4;
create index calls_urgent on calls (rank, due_at, id) where phase = 'queued' and rank < 4;
