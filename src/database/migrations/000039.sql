-- Which rows of a waiting file are settled. Batches may end in another order than they begin, so
-- how many rows are settled no longer tells where to go on.
create table import_batches (
  import_id text not null,
  first_row bigint not null,
  rows bigint not null,
  primary key (import_id, first_row)
);
insert into import_batches (import_id, first_row, rows)
  select id, 0, rows from imports where state = 'running' and rows > 0;

-- Which field of a row was not taken, for whoever corrects the file.
alter table import_failures add column field text not null default '';
alter table import_failures alter column field drop default;
