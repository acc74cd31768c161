-- no-transaction
-- Counts what one customer has at a merchant that waits for money, or for its being final.
CREATE INDEX CONCURRENTLY invoices_customer_waiting_idx ON invoices (merchant_id, customer_digest)
  WHERE status IN ('OPEN', 'CONFIRMING', 'UNDERPAID') AND purpose = 'CHECKOUT';
