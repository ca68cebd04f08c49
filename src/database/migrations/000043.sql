-- The end of a call is told with its whole record, which made the row of the event longer than
-- 2 kB, and PostgreSQL puts what is longer aside into pieces, each found by an index of their own:
-- three writes more for each call. Sealed bytes cannot be compressed, so to try it was for nothing.
-- What is longer than 8 kB still goes aside.
alter table events set (toast_tuple_target = 8160);
alter table events alter column sealed set storage external;
