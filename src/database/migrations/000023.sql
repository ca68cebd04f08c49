-- Journeys: what is to happen with a person, as versions of a document that never change.
create table journeys (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  version integer not null check (version > 0),
  -- Which of the journeys that come with the product it was made from.
  ready_key text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  -- Runs that began before this are ended, and why: one write, whatever their number.
  cancel_before timestamptz,
  cancel_reason text
);
create index journeys_of_account on journeys (account_id, id desc) where deleted_at is null;
create unique index journeys_ready on journeys (account_id, ready_key)
  where deleted_at is null and ready_key is not null;

create table journey_versions (
  journey_id text not null references journeys (id),
  version integer not null,
  document jsonb not null,
  created_at timestamptz not null,
  primary key (journey_id, version)
);

-- One person on their way through a journey. The row is the timer: it is looked at when it is due.
create table journey_runs (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  journey_id text not null,
  status text not null check (status in ('live', 'ended')),
  due_at timestamptz,
  state jsonb not null,
  sealed bytea,
  started_at timestamptz not null,
  ended_at timestamptz,
  primary key (bucket, id)
);
create unique index journey_runs_one_live on journey_runs (bucket, contact_id, journey_id)
  where status = 'live';
create index journey_runs_due on journey_runs (bucket, due_at, id) where status = 'live';
create index journey_runs_of_account on journey_runs (account_id, id desc);
create index journey_runs_of_journey on journey_runs (journey_id, id desc);
create index journey_runs_of_contact on journey_runs (bucket, contact_id, id desc);
create index journey_runs_live_of_journey on journey_runs (journey_id) where status = 'live';
alter table journey_runs set (fillfactor = 80);

-- How many live runs a contact has. It is read with the contact's lock, so that whoever has none
-- pays nothing when something happens to them.
alter table contacts add column live_runs smallint not null default 0;
