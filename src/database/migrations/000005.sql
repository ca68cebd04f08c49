-- A message that most likely asks for no more calls blocks them while the person is asked. The
-- block ends with an answer, or turns into an opt-out when none comes.

alter table contacts add column opt_out_pending_at timestamptz;
-- The line the person wrote to; a confirmation goes out there.
alter table contacts add column opt_out_pending_line_id text;
create index contacts_opt_out_pending on contacts (opt_out_pending_at)
  where opt_out_pending_at is not null;
