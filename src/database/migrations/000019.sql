-- A call is written at each step of its life, and each write put an entry into all five indexes of
-- the table, because what they are made of named the status. They are made of the phase now, which
-- changes twice, and pages keep room for the next version of a row: so most writes of a call, of a
-- contact's chain and of a permission stay on one page and touch no index.
alter table calls add column phase text not null generated always as
  (case status when 'queued' then 'queued' when 'ended' then 'ended' else 'live' end) stored;
alter table calls set (fillfactor = 80);
alter table contacts set (fillfactor = 85);
alter table permissions set (fillfactor = 70);

drop index calls_due;
create index calls_due on calls (bucket, due_at, id) where phase = 'queued';
drop index calls_one_live_per_contact;
create unique index calls_one_live_per_contact on calls (bucket, contact_id) where phase = 'live';
-- Every claim counts the live calls of its lines, up to their caps. The index by bucket had to be
-- read whole for it, for all lines together; nothing else read it by bucket.
drop index calls_live;
create index calls_live on calls (line_id) where phase = 'live';
