-- What is due was looked for in the order of its time, past everything that waits for a receiver
-- that is busy or hangs: tens of thousands of rows, every second. By receiver, a busy one is
-- passed over in one step, however much waits for it.
drop index deliveries_due;
create index deliveries_waiting on deliveries (webhook_id, next_attempt_at, id)
  where status = 'pending';
