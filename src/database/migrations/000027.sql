-- Figures. One row per request and per call, worked out from the ledger of its contact, and sums
-- of them per hour, per day and dimension, which are changed in the same transaction.

-- Contacts whose ledger grew and that were not counted since. Checkpoints hand them over; before
-- that they stand in ledger_pending, where they are only looked at, so no write pays for this.
create table kpi_pending (
  bucket smallint not null,
  contact_id text not null,
  account_id text not null
) with (
  vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000
);

-- Up to which entry a contact was counted.
create table kpi_contacts (
  bucket smallint not null,
  contact_id text not null,
  sequence bigint not null,
  primary key (bucket, contact_id)
);

-- Whoever counts holds the lock of this row to the end of the transaction.
create table kpi_feed (one boolean primary key default true check (one));
insert into kpi_feed default values;

create table kpi_contributions (
  bucket smallint not null,
  id text not null,
  account_id text not null,
  contact_id text not null,
  kind text not null,
  at timestamptz not null,
  line text not null,
  template text not null,
  template_version text not null,
  purpose text not null,
  journey text not null,
  campaign text not null,
  experiment text not null,
  arm text not null,
  endpoint text not null,
  agent text not null,
  country text not null,
  requests integer not null,
  requests_sent integer not null,
  requests_decided integer not null,
  requests_granted integer not null,
  opt_outs integer not null,
  opt_out_ms integer not null,
  calls integer not null,
  calls_dialled integer not null,
  calls_ended integer not null,
  calls_reached integer not null,
  calls_answered integer not null,
  calls_completed integer not null,
  calls_failed integer not null,
  pdd_calls integer not null,
  pdd_ms integer not null,
  talk_calls integer not null,
  talk_ms integer not null,
  dead_air_calls integer not null,
  dead_air_ms integer not null,
  aged_calls integer not null,
  prompt_calls integer not null,
  unanswered_calls integer not null,
  streak_calls integer not null,
  surveys integer not null,
  survey_points integer not null,
  primary key (bucket, id)
);
create index kpi_contributions_of_contact on kpi_contributions (bucket, contact_id);
create index kpi_contributions_by_time on kpi_contributions (account_id, at, id);
create index kpi_contributions_by_purpose on kpi_contributions (account_id, purpose, contact_id)
  where purpose <> '';

-- "h" and "d" for hours and days (UTC); the dimension "all" has the one value ''.
create table kpi_rollups (
  account_id text not null,
  dimension text not null,
  grain text not null,
  at timestamptz not null,
  value text not null,
  requests bigint not null,
  requests_sent bigint not null,
  requests_decided bigint not null,
  requests_granted bigint not null,
  opt_outs bigint not null,
  opt_out_ms bigint not null,
  calls bigint not null,
  calls_dialled bigint not null,
  calls_ended bigint not null,
  calls_reached bigint not null,
  calls_answered bigint not null,
  calls_completed bigint not null,
  calls_failed bigint not null,
  pdd_calls bigint not null,
  pdd_ms bigint not null,
  talk_calls bigint not null,
  talk_ms bigint not null,
  dead_air_calls bigint not null,
  dead_air_ms bigint not null,
  aged_calls bigint not null,
  prompt_calls bigint not null,
  unanswered_calls bigint not null,
  streak_calls bigint not null,
  surveys bigint not null,
  survey_points bigint not null,
  primary key (account_id, dimension, grain, at, value)
) with (fillfactor = 70);

-- The words of a purpose, by its keyed hash. They stand here only while at least five people were
-- asked or called with the very same words: what was said to one person alone stays with them.
create table kpi_purposes (
  account_id text not null,
  id text not null,
  sealed bytea not null,
  primary key (account_id, id)
);

-- The latest working out anew of everything of an account, and what it found.
create table kpi_rebuilds (
  account_id text primary key,
  actor text not null,
  asked_at timestamptz not null,
  after_id text not null default '',
  contacts bigint not null default 0,
  changed bigint not null default 0,
  rollups_changed bigint,
  finished_at timestamptz
);

-- What was written before there were figures is counted first.
insert into kpi_pending (bucket, contact_id, account_id)
  select bucket, id, account_id from contacts where ledger_sequence > 0;
