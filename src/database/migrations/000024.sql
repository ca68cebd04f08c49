-- A journey is shown to its author again: with its fields in the order in which they were written,
-- which jsonb does not keep. Nothing looks inside.
alter table journey_versions alter column document type json using document::json;
