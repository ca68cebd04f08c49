-- The key that a customer may press in a call to say "never again"; null takes none, for a digit
-- that nobody announced means something else.
alter table lines add column opt_out_key text check (opt_out_key ~ '^[0-9*#]$');
