-- How merchants take money, invoices, and what arrived for them. An invoice is paid here first, row by
-- row; then the ledger's entry follows, whose reference is the payment's id; then the invoice is
-- completed. What a crash cuts off between two of them is found by `payments_waiting_idx`.

CREATE TABLE payment_methods (
  merchant_id   uuid             NOT NULL,
  coin          text COLLATE "C" NOT NULL,
  place         integer          NOT NULL,           -- in the merchant's own order
  provider      text             NOT NULL,
  enabled       boolean          NOT NULL,
  instructions  text             NOT NULL,
  CONSTRAINT payment_methods_pkey PRIMARY KEY (merchant_id, coin),
  CONSTRAINT payment_methods_merchant_id_fkey
    FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT payment_methods_provider_check CHECK (provider IN ('manual'))
);

CREATE TABLE invoices (
  invoice_id       uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  relationship_id  uuid        NOT NULL,
  purpose          text        NOT NULL,
  origin           text        NOT NULL,
  status           text        NOT NULL,
  amount           bigint      NOT NULL,
  coin             text        NOT NULL,
  provider         text        NOT NULL,
  instructions     text,                             -- as they were when it was opened
  expires_at       timestamptz NOT NULL,
  paid_at          timestamptz,
  completed_at     timestamptz,
  created_at       timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  CONSTRAINT invoices_pkey PRIMARY KEY (invoice_id),
  CONSTRAINT invoices_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT invoices_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT invoices_purpose_check CHECK (purpose IN ('TOP_UP')),
  CONSTRAINT invoices_origin_check CHECK (origin IN ('MANUAL', 'AUTO', 'MERCHANT')),
  CONSTRAINT invoices_status_check
    CHECK (status IN ('OPEN', 'CONFIRMING', 'PAID', 'COMPLETED', 'EXPIRED', 'CANCELLED')),
  CONSTRAINT invoices_amount_check CHECK (amount BETWEEN 1 AND 999999999999),
  CONSTRAINT invoices_paid_at_check
    CHECK ((paid_at IS NOT NULL) = (status IN ('PAID', 'COMPLETED'))),
  CONSTRAINT invoices_completed_at_check
    CHECK ((completed_at IS NOT NULL) = (status = 'COMPLETED'))
);
CREATE INDEX invoices_relationship_id_invoice_id_idx ON invoices (relationship_id, invoice_id);
CREATE INDEX invoices_merchant_id_invoice_id_idx ON invoices (merchant_id, invoice_id);
CREATE INDEX invoices_waiting_idx ON invoices (relationship_id) WHERE status IN ('OPEN', 'CONFIRMING');
CREATE INDEX invoices_expires_at_idx ON invoices (expires_at) WHERE status = 'OPEN';

CREATE TABLE payments (
  payment_id       uuid             NOT NULL,
  invoice_id       uuid             NOT NULL,
  merchant_id      uuid             NOT NULL,
  relationship_id  uuid             NOT NULL,
  provider         text             NOT NULL,
  source           text COLLATE "C" NOT NULL,        -- what the provider knows it by
  amount           bigint           NOT NULL,
  created_at       timestamptz      NOT NULL,
  credited_at      timestamptz,                      -- none: the entry may be missing
  entry_id         uuid,
  CONSTRAINT payments_pkey PRIMARY KEY (payment_id),
  CONSTRAINT payments_merchant_id_provider_source_key UNIQUE (merchant_id, provider, source),
  CONSTRAINT payments_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT payments_amount_check CHECK (amount BETWEEN 1 AND 999999999999),
  CONSTRAINT payments_credited_at_check CHECK ((credited_at IS NULL) = (entry_id IS NULL))
);
CREATE INDEX payments_invoice_id_idx ON payments (invoice_id);
CREATE INDEX payments_waiting_idx ON payments (created_at) WHERE credited_at IS NULL;

GRANT SELECT ON invoices, payments TO consign_read;

ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;

CREATE POLICY invoices_scope_policy ON invoices FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY payments_scope_policy ON payments FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
