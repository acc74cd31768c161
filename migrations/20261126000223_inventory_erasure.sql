-- no-transaction
-- Finds items whose customers are still known, the longest delivered first.
CREATE INDEX CONCURRENTLY inventory_items_customer_idx
  ON inventory_items (delivered_at) WHERE email_sealed IS NOT NULL;
