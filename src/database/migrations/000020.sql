-- STOP ALL: the account neither asks nor calls anybody until it is lifted. In the account's row,
-- because every dial holds a share of that row's lock: what began before the stop is waited for.
alter table accounts add column stopped_at timestamptz;
alter table accounts add column stopped_by text;
alter table accounts add column stop_reason text;
