-- Purchases that are paid elsewhere than from the balance, and what goes back for them. Money that goes back
-- is stored here with the step that says so; then it is credited under its own id, which is the reference of
-- its entry in the ledger. One that a crash cut off is credited later, and never twice.

SET LOCAL lock_timeout = '2s';

ALTER TABLE stock_requests
  ADD COLUMN at_once boolean NOT NULL DEFAULT false,  -- a refusal of the balance ends it
  ADD COLUMN payment_reference text COLLATE "C";      -- what the merchant finds the money by
-- Money that is found by it pays one purchase.
CREATE UNIQUE INDEX stock_requests_merchant_id_payment_reference_key
  ON stock_requests (merchant_id, payment_reference) WHERE payment_reference IS NOT NULL;
-- What was asked for in a month and is in no ledger.
CREATE INDEX stock_requests_relationship_id_created_at_idx
  ON stock_requests (relationship_id, created_at) WHERE entry_id IS NULL;

CREATE TABLE stock_refunds (
  refund_id         uuid        NOT NULL,
  stock_request_id  uuid        NOT NULL,
  merchant_id       uuid        NOT NULL,
  relationship_id   uuid        NOT NULL,
  balance_id        bigint      NOT NULL,
  amount            bigint      NOT NULL,
  created_at        timestamptz NOT NULL,
  credited_at       timestamptz,                      -- none: the entry may be missing
  CONSTRAINT stock_refunds_pkey PRIMARY KEY (refund_id),
  CONSTRAINT stock_refunds_stock_request_id_fkey FOREIGN KEY (stock_request_id)
    REFERENCES stock_requests (stock_request_id),
  CONSTRAINT stock_refunds_amount_check CHECK (amount BETWEEN 1 AND 999999999999)
);
CREATE INDEX stock_refunds_waiting_idx ON stock_refunds (created_at) WHERE credited_at IS NULL;
