-- What Meta answered when it was asked for a contact's permission on a line
-- (GET /{phone number id}/call_permissions). One row each, the latest; codes and times alone.
create table meta_answers (
  bucket smallint not null,
  contact_id text not null,
  line_id text not null,
  -- Before the question left, so an answer is never taken for fresher than it is.
  asked_at timestamptz not null,
  status text not null,
  expires_at timestamptz,
  can_call boolean not null,
  can_request boolean not null,
  limits jsonb not null,
  primary key (bucket, contact_id, line_id)
);

-- Whose national form the numbers of an imported file may have.
alter table do_not_call_imports add column country text;

-- The rates of a diagnosis are counted exactly; without these, each would read the whole ledger.
create index ledger_opt_outs on ledger (account_id, at) where type = 'OptedOut';
create index ledger_blocked_calls on ledger (account_id, at) where type = 'CallBlocked';
