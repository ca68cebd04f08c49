-- Experiments: who gets which arm is worked out by keyed hashes, so only what was seen is stored.

-- Experiments of one layer never share a person: they divide its slots by the layer's key.
create table experiment_layers (
  account_id text not null,
  name text not null,
  key bytea not null,
  primary key (account_id, name)
);

create table experiments (
  id text primary key,
  account_id text not null,
  name text not null,
  state text not null check (state in ('draft', 'running', 'stopped', 'decided')),
  layer text not null,
  key bytea not null,
  layer_key bytea not null,
  -- Stretches of the layer's 10,000 slots; empty while it is a draft.
  slots jsonb not null default '[]',
  -- The control first, with weights and what each changes.
  arms jsonb not null,
  -- What is measured, for how long, and for how many people it is planned.
  plan jsonb not null,
  stopped_arms jsonb not null default '[]',
  winner text,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  -- The first look at which the sizes of the arms were not what was drawn, and at which the
  -- result was there: each is told once.
  sample_ratio_alarm_at timestamptz,
  result_at timestamptz,
  look_due_at timestamptz
);
create index experiments_of_account on experiments (account_id, id desc);
create index experiments_due on experiments (look_due_at) where look_due_at is not null;

-- What was counted at each look. The bounds follow from these rows alone, so a result can be
-- worked out again by anybody at any time.
create table experiment_looks (
  experiment_id text not null,
  number integer not null,
  at timestamptz not null,
  arms jsonb not null,
  primary key (experiment_id, number)
);

-- One row per person and experiment: the first request or call under an arm. Erasing the person
-- drops the link and keeps the count.
create table experiment_exposures (
  bucket smallint not null,
  experiment_id text not null,
  contact_id text,
  account_id text not null,
  arm text not null,
  at timestamptz not null,
  -- When the time for an outcome was over; what came of it does not change any more.
  counted_at timestamptz,
  granted boolean not null default false,
  answered boolean not null default false,
  completed boolean not null default false,
  satisfied boolean not null default false,
  opted_out boolean not null default false
) with (fillfactor = 80);
create unique index experiment_exposures_of_contact
  on experiment_exposures (bucket, contact_id, experiment_id);
create index experiment_exposures_open on experiment_exposures (experiment_id, bucket)
  where counted_at is null;
create index experiment_exposures_by_arm on experiment_exposures (experiment_id, arm);
