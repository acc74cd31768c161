-- Wholesale purchases, and the inventories that they fill. What is decided is stored here first; then it is
-- carried out under the request's own id: the balance pays by a fulfillment with a reserved order id, or
-- serials leave the shelf by a withdrawal of kind 6. One that a crash cut off is carried out later, and
-- never twice.

SET LOCAL lock_timeout = '2s';

ALTER TABLE withdrawals
  DROP CONSTRAINT withdrawals_kind_check,
  ADD CONSTRAINT withdrawals_kind_check CHECK (kind IN (3, 4, 5, 6)) NOT VALID;

CREATE TABLE stock_requests (
  stock_request_id  uuid        NOT NULL,
  number            bigint      GENERATED ALWAYS AS IDENTITY,
  merchant_id       uuid        NOT NULL,
  relationship_id   uuid        NOT NULL,
  balance_id        bigint      NOT NULL,
  product_id        uuid        NOT NULL,
  variant_id        uuid,
  quantity          integer     NOT NULL,
  unit_price        bigint      NOT NULL,
  price_version     bigint      NOT NULL,
  requested_by      text        NOT NULL,
  note              text,
  coin              text,
  status            text        NOT NULL,
  status_reason     text,
  invoice_id        uuid,
  invoice_coin      text,
  provider          text,
  instructions      text,                       -- as they were when it was invoiced
  entry_id          uuid,                       -- where the balance paid
  refunded          bigint      NOT NULL DEFAULT 0,
  expires_at        timestamptz NOT NULL,
  invoiced_at       timestamptz,
  paid_at           timestamptz,
  allocated_at      timestamptz,
  attempted_at      timestamptz NOT NULL,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL,
  CONSTRAINT stock_requests_pkey PRIMARY KEY (stock_request_id),
  CONSTRAINT stock_requests_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT stock_requests_quantity_check CHECK (quantity BETWEEN 1 AND 1000),
  CONSTRAINT stock_requests_unit_price_check CHECK (unit_price BETWEEN 0 AND 999999999999),
  CONSTRAINT stock_requests_requested_by_check CHECK (requested_by IN ('RESELLER', 'MERCHANT')),
  CONSTRAINT stock_requests_status_check CHECK (
    status IN ('REQUESTED', 'INVOICED', 'PAYING', 'PAID', 'ALLOCATING', 'ALLOCATED', 'DELIVERED',
               'CANCELLED', 'EXPIRED', 'REVOKED')
  ),
  CONSTRAINT stock_requests_invoice_check CHECK (
    (invoice_id IS NULL) = (invoice_coin IS NULL) AND (invoice_id IS NULL) = (provider IS NULL)
  ),
  CONSTRAINT stock_requests_allocated_at_check
    CHECK ((allocated_at IS NOT NULL) = (status IN ('ALLOCATED', 'DELIVERED', 'REVOKED'))),
  CONSTRAINT stock_requests_refunded_check
    CHECK (refunded >= 0 AND refunded <= unit_price * quantity)
);
CREATE UNIQUE INDEX stock_requests_relationship_id_number_key
  ON stock_requests (relationship_id, number);
CREATE INDEX stock_requests_waiting_idx ON stock_requests (attempted_at)
  WHERE status IN ('PAYING', 'ALLOCATING');
CREATE INDEX stock_requests_expires_at_idx ON stock_requests (expires_at)
  WHERE status IN ('REQUESTED', 'INVOICED');
CREATE INDEX stock_requests_paid_idx ON stock_requests (product_id, number) WHERE status = 'PAID';

-- One serial each, from the moment it is known to be the reseller's. Whose it is for ever, its claim says.
CREATE TABLE inventory_items (
  serial_id         uuid        NOT NULL,
  number            bigint      GENERATED ALWAYS AS IDENTITY,
  stock_request_id  uuid        NOT NULL,
  merchant_id       uuid        NOT NULL,
  relationship_id   uuid        NOT NULL,
  status            text        NOT NULL,
  email_sealed      bytea,
  email_digest      bytea,                      -- keyed, to find what went to an address
  delivered_at      timestamptz,
  handed_over_at    timestamptz,
  exported_at       timestamptz,
  revealed_at       timestamptz,
  revoked_at        timestamptz,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL,
  CONSTRAINT inventory_items_pkey PRIMARY KEY (serial_id),
  CONSTRAINT inventory_items_stock_request_id_fkey FOREIGN KEY (stock_request_id)
    REFERENCES stock_requests (stock_request_id),
  CONSTRAINT inventory_items_status_check
    CHECK (status IN ('AVAILABLE', 'DELIVERED', 'REVOKED', 'REPLACED')),
  CONSTRAINT inventory_items_delivered_at_check
    CHECK (status <> 'DELIVERED' OR (delivered_at IS NOT NULL AND handed_over_at IS NOT NULL)),
  CONSTRAINT inventory_items_revoked_at_check CHECK ((status = 'REVOKED') = (revoked_at IS NOT NULL))
);
CREATE UNIQUE INDEX inventory_items_relationship_id_number_key
  ON inventory_items (relationship_id, number);
CREATE INDEX inventory_items_stock_request_id_idx ON inventory_items (stock_request_id);

GRANT SELECT ON stock_requests, inventory_items TO consign_read;

ALTER TABLE stock_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE inventory_items ENABLE ROW LEVEL SECURITY;

CREATE POLICY stock_requests_scope_policy ON stock_requests FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY inventory_items_scope_policy ON inventory_items FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
