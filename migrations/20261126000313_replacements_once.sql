-- no-transaction
-- The migration before this one has the index that takes its place.
DROP INDEX CONCURRENTLY replacements_serial_id_key;
