-- Serials that leave the shelf without an order. Each withdrawal is one row with its serials, written by
-- its product's lane together with their claims. Its id is its caller's reference: one that was executed
-- is found by it, and never executed again.
--
-- Kinds, of withdrawals and of their claims: 3 removal, 4 pull, 5 replacement.

CREATE TABLE withdrawals (
  withdrawal_id  uuid        NOT NULL,
  merchant_id    uuid        NOT NULL,
  product_id     uuid        NOT NULL,
  variant_id     uuid,
  kind           smallint    NOT NULL,
  serial_ids     uuid[]      NOT NULL,
  withdrawn_at   timestamptz NOT NULL,
  CONSTRAINT withdrawals_pkey PRIMARY KEY (withdrawal_id),
  CONSTRAINT withdrawals_kind_check CHECK (kind IN (3, 4, 5)),
  CONSTRAINT withdrawals_serial_ids_check CHECK (CARDINALITY(serial_ids) > 0)
);
CREATE INDEX withdrawals_product_id_withdrawn_at_idx ON withdrawals (product_id, withdrawn_at);
