-- no-transaction
-- Finds sales whose customers are still known, the oldest first.
CREATE INDEX CONCURRENTLY sales_customer_idx
  ON sales (created_at) WHERE customer IS NOT NULL;
