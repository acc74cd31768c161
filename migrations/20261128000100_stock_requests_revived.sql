-- Purchases that begin anew because their money came late: who cancelled one says whether it may, and from when it
-- counts against the purchase limits says when it did.

SET LOCAL lock_timeout = '2s';

ALTER TABLE stock_requests
  ADD COLUMN cancelled_by text,
  ADD COLUMN revived_at timestamptz,
  ADD CONSTRAINT stock_requests_cancelled_by_check
    CHECK (cancelled_by IN ('RESELLER', 'MERCHANT')) NOT VALID;
