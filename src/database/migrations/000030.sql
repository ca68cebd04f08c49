-- What comes after a call. The survey: at most one per call, so the call is its key. How a call
-- was is a number and stays in the open; it names nobody.
create table surveys (
  bucket smallint not null,
  call_id text not null,
  account_id text not null,
  contact_id text not null,
  line_id text not null,
  way text not null,
  status text not null,
  message_id text,
  asked_at timestamptz not null,
  answered_at timestamptz,
  score smallint check (score between 1 and 5),
  attribution jsonb,
  primary key (bucket, call_id)
);
create index surveys_of_contact on surveys (bucket, contact_id, asked_at);
create index surveys_of_account on surveys (account_id, call_id desc);

-- What the agent says came of a call: the newest version; the ledger has them all.
create table call_outcomes (
  bucket smallint not null,
  call_id text not null,
  account_id text not null,
  contact_id text not null,
  version integer not null,
  outcome text,
  actor text not null,
  set_at timestamptz not null,
  sealed bytea,
  primary key (bucket, call_id)
);

-- What a line sets about surveys beside its account; null where it sets nothing.
alter table lines add column surveys jsonb;
