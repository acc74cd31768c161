-- Items of inventories are replaced too, and whoever asked takes an open request back. Of an item the purchase is
-- named; its entry is the nil one, and its order id the purchase's own.

SET LOCAL lock_timeout = '2s';

ALTER TABLE replacements
  ADD COLUMN stock_request_id uuid,
  DROP CONSTRAINT replacements_status_check,
  ADD CONSTRAINT replacements_status_check CHECK (status IN ('REQUESTED', 'ISSUING', 'CREDITING',
    'ISSUED', 'CREDITED', 'REJECTED', 'CANCELLED')) NOT VALID,
  ADD CONSTRAINT replacements_stock_request_id_fkey FOREIGN KEY (stock_request_id)
    REFERENCES stock_requests (stock_request_id) NOT VALID;
