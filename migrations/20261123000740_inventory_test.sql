-- Serials of test mode are made for one order. Their imports have no number and count as sold, so that
-- neither this version nor the one before puts them on a shelf; and whoever looks for imports that wait
-- for their number passes them over.

SET LOCAL lock_timeout = '2s';

ALTER TABLE imports
  ADD COLUMN test boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT imports_test_check
    CHECK (NOT test OR (number IS NULL AND low_ordinal = 4294967296));

DROP INDEX imports_unnumbered_idx;
CREATE INDEX imports_unnumbered_idx ON imports (import_id) WHERE number IS NULL AND NOT test;
