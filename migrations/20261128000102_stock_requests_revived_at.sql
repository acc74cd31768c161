-- no-transaction
-- What began anew in a month and is in no ledger, beside what was asked for in it.
CREATE INDEX CONCURRENTLY stock_requests_relationship_id_revived_at_idx
  ON stock_requests (relationship_id, revived_at) WHERE entry_id IS NULL AND revived_at IS NOT NULL;
