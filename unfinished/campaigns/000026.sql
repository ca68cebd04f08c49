-- Campaigns: many people on one journey, at a pace, until it is over or stopped.
create table campaigns (
  id text primary key,
  account_id text not null,
  name text not null,
  state text not null
    check (state in ('draft', 'previewing', 'ready', 'running', 'paused', 'stopped', 'done')),
  line_id text not null,
  journey_id text not null,
  -- Whom it is for, and how it goes; no text of it names a person.
  audience jsonb not null,
  settings jsonb not null,
  -- What the last preview found, and how far it or the filling of the audience has come.
  preview jsonb,
  cursor text,
  members bigint not null default 0,
  error jsonb,
  -- The instant up to which people were taken from the pace.
  paced_until timestamptz,
  due_at timestamptz,
  lease_owner text,
  lease_until timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz
);
create index campaigns_of_account on campaigns (account_id, id desc);
create index campaigns_due on campaigns (due_at) where due_at is not null;

-- One person of a campaign. The row is the timer: it is looked at when it is due.
create table campaign_members (
  bucket smallint not null,
  campaign_id text not null,
  contact_id text not null,
  account_id text not null,
  state text not null check (state in
    ('waiting', 'asked', 'granted', 'scheduled', 'called', 'done', 'blocked')),
  reason text,
  run_id text,
  due_at timestamptz,
  updated_at timestamptz not null,
  primary key (bucket, campaign_id, contact_id)
);
create index campaign_members_due on campaign_members (campaign_id, due_at, contact_id)
  where due_at is not null;
create index campaign_members_states on campaign_members (campaign_id, state, contact_id);
create index campaign_members_of_contact on campaign_members (bucket, contact_id);
alter table campaign_members set (fillfactor = 80);
