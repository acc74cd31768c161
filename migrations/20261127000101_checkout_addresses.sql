-- no-transaction
-- Counts what one network address has that waits for money, or for its being final. The narrower indexes of OPEN alone
-- go one release later: the version before still counts by them.
CREATE INDEX CONCURRENTLY invoices_address_waiting_idx ON invoices (address_digest)
  WHERE status IN ('OPEN', 'CONFIRMING', 'UNDERPAID') AND purpose = 'CHECKOUT';
