-- Visits of customers and the invoices that they become. An invoice of a customer is one like any other,
-- with what it is for in `invoice_lines`, frozen; addresses are sealed, and tokens are stored as digests.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoices
  ALTER COLUMN relationship_id DROP NOT NULL,
  ADD COLUMN token_digest     bytea,
  ADD COLUMN delivery_digest  bytea,               -- of the token of the page with what was bought
  ADD COLUMN customer         text,                -- masked
  ADD COLUMN customer_sealed  bytea,
  ADD COLUMN customer_digest  bytea,               -- keyed
  ADD COLUMN address_digest   bytea,               -- keyed, of the network address that opened it
  ADD COLUMN attempted_at     timestamptz,         -- when somebody last tried to deliver it
  DROP CONSTRAINT invoices_purpose_check,
  DROP CONSTRAINT invoices_origin_check,
  DROP CONSTRAINT invoices_status_check,
  DROP CONSTRAINT invoices_paid_at_check,
  DROP CONSTRAINT invoices_completed_at_check,
  ADD CONSTRAINT invoices_status_check CHECK (status IN ('OPEN', 'CONFIRMING', 'UNDERPAID', 'PAID',
    'COMPLETED', 'AWAITING_STOCK', 'EXPIRED', 'CANCELLED', 'PARTIALLY_REFUNDED', 'REFUNDED',
    'DISPUTED')) NOT VALID,
  ADD CONSTRAINT invoices_paid_at_check CHECK ((paid_at IS NOT NULL) = (status IN ('PAID',
    'COMPLETED', 'AWAITING_STOCK', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'))) NOT VALID,
  ADD CONSTRAINT invoices_completed_at_check CHECK (CASE WHEN completed_at IS NULL
    THEN status <> 'COMPLETED'
    ELSE status IN ('COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED') END) NOT VALID,
  ADD CONSTRAINT invoices_purpose_check CHECK (purpose IN ('TOP_UP', 'CHECKOUT')) NOT VALID,
  ADD CONSTRAINT invoices_origin_check
    CHECK (origin IN ('MANUAL', 'AUTO', 'MERCHANT', 'CUSTOMER')) NOT VALID,
  ADD CONSTRAINT invoices_checkout_check CHECK (CASE purpose
    WHEN 'CHECKOUT' THEN origin = 'CUSTOMER' AND token_digest IS NOT NULL AND delivery_digest IS NOT NULL
    ELSE origin <> 'CUSTOMER' AND relationship_id IS NOT NULL END) NOT VALID;
CREATE UNIQUE INDEX invoices_token_digest_key ON invoices (token_digest)
  WHERE token_digest IS NOT NULL;
CREATE UNIQUE INDEX invoices_delivery_digest_key ON invoices (delivery_digest)
  WHERE delivery_digest IS NOT NULL;
CREATE INDEX invoices_attempted_at_idx ON invoices (attempted_at)
  WHERE purpose = 'CHECKOUT' AND status IN ('PAID', 'AWAITING_STOCK');
CREATE INDEX invoices_customer_digest_idx ON invoices (merchant_id, customer_digest)
  WHERE status = 'OPEN' AND purpose = 'CHECKOUT';
CREATE INDEX invoices_address_digest_idx ON invoices (address_digest)
  WHERE status = 'OPEN' AND purpose = 'CHECKOUT';

-- What arrives for a customer's invoice is credited to nobody's balance.
ALTER TABLE payments ALTER COLUMN relationship_id DROP NOT NULL;
CREATE INDEX payments_uncredited_idx ON payments (payment_id)
  WHERE credited_at IS NULL AND relationship_id IS NOT NULL;

CREATE TABLE invoice_lines (
  line_id             uuid    NOT NULL,
  invoice_id          uuid    NOT NULL,
  merchant_id         uuid    NOT NULL,
  relationship_id     uuid,                        -- who brought the customer
  product_id          uuid    NOT NULL,
  variant_id          uuid,
  title               text    NOT NULL,
  kind                text    NOT NULL,
  quantity            integer NOT NULL,
  unit_price          bigint  NOT NULL,
  custom_fields       jsonb   NOT NULL,
  link_id             uuid,
  commission_percent  integer,                     -- hundredths of a percent
  hold_days           integer,
  self_purchase       boolean NOT NULL,
  CONSTRAINT invoice_lines_pkey PRIMARY KEY (line_id),
  CONSTRAINT invoice_lines_invoice_id_key UNIQUE (invoice_id),
  CONSTRAINT invoice_lines_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT invoice_lines_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT invoice_lines_link_id_fkey FOREIGN KEY (link_id) REFERENCES links (link_id),
  CONSTRAINT invoice_lines_kind_check CHECK (kind IN ('SERIALS', 'SERVICE')),
  CONSTRAINT invoice_lines_quantity_check CHECK (quantity BETWEEN 1 AND 20),
  CONSTRAINT invoice_lines_unit_price_check CHECK (unit_price BETWEEN 1 AND 999999999999),
  CONSTRAINT invoice_lines_share_check CHECK (
    (relationship_id IS NULL) = (link_id IS NULL)
    AND (relationship_id IS NULL) = (commission_percent IS NULL)
    AND (relationship_id IS NULL) = (hold_days IS NULL)
  )
);

CREATE TABLE checkout_sessions (
  session_id       uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  token_digest     bytea       NOT NULL,
  product_id       uuid        NOT NULL,
  variant_id       uuid,
  quantity         integer     NOT NULL,
  unit_price       bigint      NOT NULL,           -- as it was shown last
  link_id          uuid,
  clicked_at       timestamptz,
  customer_sealed  bytea,
  success_url      text,
  cancel_url       text,
  invoice_id       uuid,
  expires_at       timestamptz NOT NULL,
  created_at       timestamptz NOT NULL,
  CONSTRAINT checkout_sessions_pkey PRIMARY KEY (session_id),
  CONSTRAINT checkout_sessions_token_digest_key UNIQUE (token_digest),
  CONSTRAINT checkout_sessions_merchant_id_fkey
    FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT checkout_sessions_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT checkout_sessions_quantity_check CHECK (quantity BETWEEN 1 AND 20),
  CONSTRAINT checkout_sessions_unit_price_check CHECK (unit_price BETWEEN 1 AND 999999999999),
  CONSTRAINT checkout_sessions_clicked_at_check CHECK ((link_id IS NULL) = (clicked_at IS NULL))
);
CREATE INDEX checkout_sessions_expires_at_idx ON checkout_sessions (expires_at);
CREATE UNIQUE INDEX checkout_sessions_invoice_id_key ON checkout_sessions (invoice_id)
  WHERE invoice_id IS NOT NULL;

-- One serial each, from the moment it is known to be the customer's. Whose it is for ever, its claim says.
CREATE TABLE sold_serials (
  serial_id    uuid        NOT NULL,
  invoice_id   uuid        NOT NULL,
  merchant_id  uuid        NOT NULL,
  place        integer     NOT NULL,
  revealed_at  timestamptz,
  created_at   timestamptz NOT NULL,
  CONSTRAINT sold_serials_pkey PRIMARY KEY (serial_id),
  CONSTRAINT sold_serials_invoice_id_place_key UNIQUE (invoice_id, place),
  CONSTRAINT sold_serials_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id)
);

-- A sale of which the customer paid an invoice of ours; the others were reported.
ALTER TABLE sales
  ADD COLUMN invoice_id uuid,
  ADD CONSTRAINT sales_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id) NOT VALID;
CREATE UNIQUE INDEX sales_invoice_id_key ON sales (invoice_id) WHERE invoice_id IS NOT NULL;

GRANT SELECT ON sold_serials, invoice_lines, checkout_sessions TO consign_read;

ALTER TABLE invoice_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkout_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sold_serials ENABLE ROW LEVEL SECURITY;

CREATE POLICY invoice_lines_scope_policy ON invoice_lines FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY checkout_sessions_scope_policy ON checkout_sessions FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant() AND scoped_relationship() IS NULL);
CREATE POLICY sold_serials_scope_policy ON sold_serials FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant() AND scoped_relationship() IS NULL);
