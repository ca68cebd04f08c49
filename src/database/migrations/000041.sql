-- The call whose customer is rung for an agent, from its dial until it rings at the agent: nobody
-- is rung whom nobody could answer. By the database's clock, so that what a dead gateway kept is
-- free again.
alter table agents
  add column reserved_call_id text,
  add column reserved_until timestamptz;
create index agents_reserved on agents (reserved_call_id) where reserved_call_id is not null;
