-- Several do-not-call lists per account. `opt_out` holds what people said themselves and is lifted
-- by nobody else; `own` is what the business adds; any other name is an imported list.
alter table do_not_call add column list text not null default 'own';
update do_not_call set list = 'opt_out' where reason = 'opted_out';
alter table do_not_call drop constraint do_not_call_pkey;
alter table do_not_call add primary key (bucket, account_id, handle_hmac, list);
create index do_not_call_of_list on do_not_call (account_id, list);

-- Where an imported list comes from, and of which day it is.
create table do_not_call_lists (
  account_id text not null,
  name text not null,
  source text not null,
  dated_on text,
  imported_at timestamptz not null,
  primary key (account_id, name)
);
