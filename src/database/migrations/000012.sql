-- What an account and its lines set for themselves, who changed it, and what a switch would do.

-- Limits of this line alone; those of the account stand in accounts.settings.
alter table lines add column own_limits jsonb not null default '{}';

-- Every change of the rules that a business works under; rows are only ever added.
create table policy_changes (
  account_id text not null references accounts (id),
  id text not null,
  -- Null: the account's own settings.
  line_id text,
  kind text not null check (kind in ('account_policy', 'line_policy', 'line_pack')),
  actor text not null,
  before jsonb not null,
  after jsonb not null,
  -- The report that was looked at before a switch.
  report_id text,
  at timestamptz not null,
  primary key (account_id, id)
);

-- What a switch of rules would have changed for whom, at one moment.
create table policy_reports (
  account_id text not null references accounts (id),
  id text not null,
  line_id text not null,
  -- The rules before and after: {"policyPack": …, "lawOverlays": …}.
  before jsonb not null,
  after jsonb not null,
  result jsonb not null,
  made_at timestamptz not null,
  primary key (account_id, id)
);
