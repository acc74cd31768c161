-- Units of a shelf that are kept for a withdrawal which may come: an invoice is open, and its customer pays
-- it or does not. A reservation is over when its row has an end or its withdrawal is there; what is over
-- only by its withdrawal is given its end by whoever records the delivery.
--
-- Kinds of withdrawals and of their claims, now with 7: a customer paid an invoice.

SET LOCAL lock_timeout = '2s';

CREATE TABLE reservations (
  withdrawal_id  uuid         NOT NULL,
  merchant_id    uuid         NOT NULL,
  product_id     uuid         NOT NULL,
  variant_id     uuid,
  quantity       integer      NOT NULL,
  reserved_at    timestamptz  NOT NULL,
  ended_at       timestamptz,
  ending         text,
  CONSTRAINT reservations_pkey PRIMARY KEY (withdrawal_id),
  CONSTRAINT reservations_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT reservations_quantity_check CHECK (quantity > 0),
  CONSTRAINT reservations_ending_check
    CHECK ((ended_at IS NULL) = (ending IS NULL) AND ending IN ('EXPIRED', 'CANCELLED', 'REDEEMED'))
);
CREATE INDEX reservations_product_id_reserved_at_idx ON reservations (product_id, reserved_at)
  WHERE ended_at IS NULL;

ALTER TABLE withdrawals
  DROP CONSTRAINT withdrawals_kind_check,
  ADD CONSTRAINT withdrawals_kind_check CHECK (kind IN (3, 4, 5, 6, 7)) NOT VALID;
