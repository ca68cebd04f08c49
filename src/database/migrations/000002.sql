-- The WhatsApp inbox: what Meta was answered 200 for. One row is one delivery as it came.
-- `bucket` is drawn from the person of the first fact, `lane` is a hash of that person on that
-- line; rows of one lane are handled in order, and nothing in here names a person but the body.

create table whatsapp_inbox (
  bucket smallint not null check (bucket between 0 and 63),
  id bigint generated always as identity,
  lane bigint not null,
  body bytea not null,
  body_sha256 bytea not null,
  state text not null default 'pending' check (state in ('pending', 'done', 'failed')),
  attempts integer not null default 0,
  -- Until when later rows of the same lane wait for this one.
  lane_held_until timestamptz not null default '-infinity',
  -- When a fact of this row was first put off, for the end of patience.
  put_off_since timestamptz,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  received_at timestamptz not null default now(),
  finished_at timestamptz,
  -- Meta sends a delivery again, byte by byte, when our 200 was late or lost. One key does for
  -- both: every index more is paid for by each webhook before its 200.
  primary key (bucket, body_sha256)
);

create index whatsapp_inbox_pending on whatsapp_inbox (bucket, id) where state = 'pending';
create index whatsapp_inbox_held on whatsapp_inbox (bucket, lane, id)
  where state = 'pending' and lane_held_until > '-infinity';
create index whatsapp_inbox_finished on whatsapp_inbox (finished_at) where state <> 'pending';

-- One consumer per bucket at a time: whoever holds the lease, by the database's clock.
create table whatsapp_inbox_lanes (
  bucket smallint primary key check (bucket between 0 and 63),
  lease_owner text,
  lease_until timestamptz not null default '-infinity'
);

insert into whatsapp_inbox_lanes (bucket) select generate_series(0, 63);
