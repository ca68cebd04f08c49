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

-- Set by an erasure; from then on the row is the stump of a chain and names nobody.
alter table contacts add column erased_at timestamptz;
