-- no-transaction
-- Finds invoices whose customers are still known, the longest untouched first.
CREATE INDEX CONCURRENTLY invoices_customer_idx
  ON invoices (updated_at) WHERE customer_sealed IS NOT NULL;
