-- Money of a wholesale purchase that goes to the balance settles a debt as a top-up does. A purchase that is paid by its
-- merchant's word has no row in `invoices`, so what it settles names the purchase.

SET LOCAL lock_timeout = '2s';

ALTER TABLE takings
  ALTER COLUMN invoice_id DROP NOT NULL,
  ADD COLUMN stock_request_id uuid,
  ADD CONSTRAINT takings_stock_request_id_fkey FOREIGN KEY (stock_request_id)
    REFERENCES stock_requests (stock_request_id) NOT VALID,
  ADD CONSTRAINT takings_cause_check
    CHECK ((invoice_id IS NULL) <> (stock_request_id IS NULL)) NOT VALID;
