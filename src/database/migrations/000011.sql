-- What is kept of a person is sealed under a key of that person alone, which is itself sealed
-- under the data key. Erasing a person destroys this row; the ledger's chain still verifies.
create table contact_keys (
  bucket smallint not null,
  contact_id text not null,
  sealed_key bytea not null,
  primary key (bucket, contact_id)
);

-- The part of an entry that only the person's key opens; its hash is in the entry's hash.
alter table ledger add column sealed bytea;

-- Number, user id and name, sealed. The plain columns are empty from the next start on.
alter table contacts add column identity bytea;
alter table contacts add column language text;
alter table contacts add column time_zone text;
-- An operator says that the person is in a sanctioned region, which no number shows.
alter table contacts add column sanctioned_region_at timestamptz;
alter table contacts add column sanctioned_region_by text;
-- Set by an erasure; from then on the row is the stump of a chain and names nobody.
alter table contacts add column erased_at timestamptz;
create index contacts_plain on contacts (bucket, id)
  where e164 is not null or user_id is not null or name is not null;

-- Handles are looked up by their HMAC; what was plain is moved over at the next start.
alter table contact_handles rename to contact_handles_plain;
alter table contact_handles_plain rename constraint contact_handles_pkey
  to contact_handles_plain_pkey;
create table contact_handles (
  bucket smallint not null,
  account_id text not null,
  handle_hmac bytea not null,
  contact_id text not null,
  primary key (bucket, account_id, handle_hmac)
);
create index contact_handles_of_contact on contact_handles (contact_id);

-- The personal fields of a row, sealed; its jsonb keeps ids, codes, numbers and times.
alter table consents add column sealed bytea;
alter table permission_requests add column sealed bytea;
alter table permissions add column sealed bytea;
alter table calls add column sealed bytea;
alter table cdrs add column sealed bytea;

-- What an event says of a person, sealed; the payload keeps the envelope.
alter table events add column sealed bytea;

-- Erasures. The person is gone with the transaction that sets `erased_at`; what is left of them in
-- tables that know no contacts (webhooks as they came, stored answers) is swept out afterwards.
create table erasures (
  contact_id text primary key,
  account_id text not null,
  state text not null check (state in ('waiting', 'sweeping', 'done')),
  actor text not null,
  requested_at timestamptz not null,
  erased_at timestamptz,
  -- What to look for, sealed under the data key; gone with the end of the sweep.
  needles bytea,
  done_at timestamptz
);
create index erasures_open on erasures (requested_at) where state <> 'done';

-- What is forgotten by its age. BRIN, because the rows come in the order of time and each of them
-- is written on a path that people wait for.
create index seen_facts_by_age on seen_facts using brin (seen_at);
create index external_ids_by_age on external_ids using brin (created_at);
create index idempotency_keys_by_age on idempotency_keys using brin (created_at);
