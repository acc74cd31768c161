-- What arrived for a purchase beyond its price, is in the balance, and was not taken back since: the first that the
-- balance gives when a payment of the purchase did not come after all.

SET LOCAL lock_timeout = '2s';

ALTER TABLE stock_requests
  ADD COLUMN surplus bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT stock_requests_surplus_check CHECK (surplus BETWEEN 0 AND 999999999999) NOT VALID;
