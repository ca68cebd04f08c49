-- Campaigns: many people on one journey, at a pace, until it is over or stopped.
create table campaigns (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  state text not null check (state in ('draft', 'running', 'paused', 'stopped', 'done')),
  line_id text not null,
  journey_id text not null references journeys (id),
  journey_version integer not null,
  -- Whom it is for, and how it goes; no text of it names a person.
  audience jsonb not null,
  settings jsonb not null,
  -- How long it ran before the last pause, and since when it runs now.
  ran_ms bigint not null default 0,
  resumed_at timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz
);
create index campaigns_of_account on campaigns (account_id, id desc);

-- What is to be done for a campaign, apart from it: dials hold shares of the campaign's own row, and
-- must neither wait for its worker nor keep it waiting.
create table campaign_work (
  campaign_id text primary key references campaigns (id) on delete cascade,
  -- 0 goes first: nine less the priority.
  rank smallint not null,
  due_at timestamptz,
  -- Counts who asked for it, so that nobody who asks while it is worked on is slept over.
  asked bigint not null default 0,
  lease_owner text,
  lease_until timestamptz,
  -- The last contact that was looked at while its people were gathered; filled_at once all were.
  fill_after text not null default '',
  filled_at timestamptz,
  -- What would come of it, and how far that is worked out.
  preview jsonb,
  -- The instant up to which its pace is used up.
  paced_until timestamptz,
  -- After a resume: the last person whose journey was woken; null once all were.
  wake_after text
);
create index campaign_work_due on campaign_work (rank, due_at) where due_at is not null;

-- One person of a campaign; ids and codes only. Who waits is the schedule, by due_at.
create table campaign_members (
  bucket smallint not null,
  campaign_id text not null,
  contact_id text not null,
  account_id text not null,
  state text not null check (state in ('waiting', 'running', 'done', 'skipped')),
  -- Why the person was skipped, or how their journey ended.
  reason text,
  run_id text,
  due_at timestamptz,
  updated_at timestamptz not null,
  primary key (bucket, campaign_id, contact_id)
);
create index campaign_members_due on campaign_members (campaign_id, due_at, contact_id)
  where state = 'waiting';
create index campaign_members_states on campaign_members (campaign_id, state, reason, contact_id);
create index campaign_members_of_contact on campaign_members (bucket, contact_id);
alter table campaign_members set (fillfactor = 80);
