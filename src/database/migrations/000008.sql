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

-- Contacts that turned out to be one person: one goes on, the others name it.
alter table contacts add column merged_into text;
alter table contacts add column absorbed text[] not null default '{}';
-- Meta's time from which the number is theirs; older news of it speak of somebody else.
alter table contacts add column number_since timestamptz;

-- Numbers that a person has left. What was said from there before `left_at` is still theirs.
create table former_handles (
  bucket smallint not null,
  account_id text not null,
  handle_hmac bytea not null,
  contact_id text not null,
  left_at timestamptz not null,
  primary key (bucket, account_id, handle_hmac, contact_id)
);
create index former_handles_of_contact on former_handles (contact_id);

-- Contacts by the status of their permission.
create index consents_of_account on consents (account_id, status, contact_id desc);
