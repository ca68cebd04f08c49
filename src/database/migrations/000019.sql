-- Every claim counts the live calls of its lines, up to their caps. The index by bucket had to be
-- read whole for it, for all lines together; nothing else reads it by bucket.
drop index calls_live;
create index calls_live on calls (line_id, lease_until)
  where status in ('dialing', 'initiated', 'ringing', 'answered', 'bridged');
