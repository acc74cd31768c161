-- Payments through a BTCPay Server. A store is a merchant's access to a shop there; it is never changed, so
-- invoices are asked for where they were made, whatever their merchant replaced since. A notice moves the time
-- at which an invoice is asked for, and nothing else.

SET LOCAL lock_timeout = '2s';

CREATE TABLE payment_stores (
  store_id     uuid        NOT NULL,
  merchant_id  uuid        NOT NULL,
  url          text        NOT NULL,
  name         text        NOT NULL,
  token        bytea       NOT NULL,                 -- sealed
  notices      bytea,                                -- sealed: what notices are signed with
  created_at   timestamptz NOT NULL,
  CONSTRAINT payment_stores_pkey PRIMARY KEY (store_id),
  CONSTRAINT payment_stores_merchant_id_fkey
    FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id)
);
CREATE INDEX payment_stores_merchant_id_idx ON payment_stores (merchant_id, store_id);

CREATE TABLE hosted_invoices (
  invoice_id       uuid             NOT NULL,
  merchant_id      uuid             NOT NULL,
  relationship_id  uuid,
  store_id         uuid             NOT NULL,
  reference        text COLLATE "C" NOT NULL,        -- what the shop calls it
  url              text             NOT NULL,
  ask_at           timestamptz,                      -- none: it is asked for no more
  CONSTRAINT hosted_invoices_pkey PRIMARY KEY (invoice_id),
  CONSTRAINT hosted_invoices_store_id_reference_key UNIQUE (store_id, reference),
  CONSTRAINT hosted_invoices_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT hosted_invoices_store_id_fkey
    FOREIGN KEY (store_id) REFERENCES payment_stores (store_id)
);
CREATE INDEX hosted_invoices_ask_at_idx ON hosted_invoices (ask_at) WHERE ask_at IS NOT NULL;

ALTER TABLE payment_methods
  ADD COLUMN store_id uuid,
  ADD CONSTRAINT payment_methods_store_id_fkey
    FOREIGN KEY (store_id) REFERENCES payment_stores (store_id),
  DROP CONSTRAINT payment_methods_provider_check,
  ADD CONSTRAINT payment_methods_provider_check
    CHECK (provider IN ('manual', 'evm_erc20', 'btcpay')),
  ADD CONSTRAINT payment_methods_store_id_check CHECK ((store_id IS NOT NULL) = (provider = 'btcpay'));

GRANT SELECT ON hosted_invoices TO consign_read;

ALTER TABLE hosted_invoices ENABLE ROW LEVEL SECURITY;

CREATE POLICY hosted_invoices_scope_policy ON hosted_invoices FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
