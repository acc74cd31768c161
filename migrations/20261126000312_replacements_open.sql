-- no-transaction
-- A serial is replaced or credited once; what was rejected or taken back may be asked for again.
CREATE UNIQUE INDEX CONCURRENTLY replacements_serial_id_live_key ON replacements (serial_id)
  WHERE status NOT IN ('REJECTED', 'CANCELLED');
