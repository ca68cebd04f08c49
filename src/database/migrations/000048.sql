-- The people of a campaign that has been over for long are forgotten; how many there were stays.
alter table campaigns
  -- By state and reason, as they stood when the first of them was forgotten.
  add column people_counts jsonb,
  add column people_forgotten_at timestamptz;
create index campaigns_over on campaigns (ended_at)
  where ended_at is not null and people_forgotten_at is null;
