-- Files that come in, of every kind, as one sort of job: who reads what is said by `kind`, and what
-- was asked for by `wish`.
alter table do_not_call_imports rename to imports;
alter table imports add column kind text not null default 'do_not_call'
  check (kind in ('do_not_call', 'contacts'));
alter table imports alter column kind drop default;
alter table imports add column wish jsonb not null default '{}';
update imports set wish = jsonb_build_object('list', list, 'column', wanted_column,
                                             'country', country);
alter table imports drop column list, drop column wanted_column, drop column country;
-- Of people who were known before and are now known better; the others of them are `already`.
alter table imports add column changed bigint not null default 0;
-- How far into the file the settled rows reach, for the time that is left.
alter table imports add column read_bytes bigint not null default 0;
alter index do_not_call_imports_of_account rename to imports_of_account;
alter index do_not_call_imports_waiting rename to imports_waiting;
alter table do_not_call_import_chunks rename to import_chunks;
alter table do_not_call_import_failures rename to import_failures;
-- From now on the pieces of a file are sealed; a file that waits in the open is sent again.
delete from import_chunks;
update imports set state = 'failed', finished_at = now(), error = jsonb_build_object(
  'code', 'import_interrupted', 'message', 'The import broke off; what it had added stays.',
  'fix', 'Send the same file again: what is there already is not added twice.')
 where state in ('receiving', 'queued', 'running');

-- What the business knows of a person beside the name: its own id of them and further columns,
-- sealed under the person's key. The hash finds a person by that id.
create table contact_details (
  bucket smallint not null,
  contact_id text not null,
  account_id text not null,
  external_hmac bytea,
  sealed bytea not null,
  updated_at timestamptz not null,
  primary key (bucket, contact_id)
);
create index contact_details_external on contact_details (account_id, external_hmac)
  where external_hmac is not null;

-- Whom a file brought, or what the business calls a group of people.
create table contact_tags (
  bucket smallint not null,
  account_id text not null,
  tag text not null,
  contact_id text not null,
  primary key (bucket, account_id, tag, contact_id)
);
create index contact_tags_of_tag on contact_tags (account_id, tag, contact_id);
create index contact_tags_of_contact on contact_tags (bucket, contact_id);
