-- Top-ups that are taken back. What is to be taken out of a balance is stored here first (`takings`): the
-- reversal of a top-up (kind 6), and what later top-ups settle of the debt that is left (kind 9). Then an
-- entry of that kind takes it, or what there is of it, under the same reference; then it is noted, and what
-- was missing is owed (`debts`). What a crash cuts off between them is found by `takings_waiting_idx`.
--
-- The constraints of invoices know every status of the contract.

SET LOCAL lock_timeout = '2s';

ALTER TABLE ledger_entries
  DROP CONSTRAINT ledger_entries_amount_check,
  ADD CONSTRAINT ledger_entries_amount_check CHECK (
    (kind IN (1, 6, 9) AND amount <= 0) OR (kind = 5 AND amount < 0)
    OR (kind NOT IN (1, 5, 6, 9) AND amount > 0)
  ) NOT VALID;

ALTER TABLE invoices
  ADD COLUMN refunded bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT invoices_status_check,
  DROP CONSTRAINT invoices_paid_at_check,
  DROP CONSTRAINT invoices_completed_at_check,
  ADD CONSTRAINT invoices_status_check CHECK (
    status IN ('OPEN', 'CONFIRMING', 'UNDERPAID', 'PAID', 'COMPLETED', 'AWAITING_STOCK', 'EXPIRED',
               'CANCELLED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED')
  ) NOT VALID,
  ADD CONSTRAINT invoices_paid_at_check CHECK (
    (paid_at IS NOT NULL) = (status IN ('PAID', 'COMPLETED', 'AWAITING_STOCK', 'PARTIALLY_REFUNDED',
                                        'REFUNDED', 'DISPUTED'))
  ) NOT VALID,
  ADD CONSTRAINT invoices_completed_at_check CHECK (
    (status <> 'COMPLETED' OR completed_at IS NOT NULL)
    AND (completed_at IS NULL
         OR status IN ('COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'))
  ) NOT VALID,
  ADD CONSTRAINT invoices_refunded_check CHECK (refunded >= 0) NOT VALID;

CREATE TABLE takings (
  balance_id       bigint           NOT NULL,
  kind             smallint         NOT NULL,
  reference        text COLLATE "C" NOT NULL,    -- the merchant's, or the payment's id
  merchant_id      uuid             NOT NULL,
  relationship_id  uuid             NOT NULL,
  invoice_id       uuid             NOT NULL,    -- what is reversed, or what settles
  amount           bigint           NOT NULL,
  note             text,
  taken            bigint,                       -- none: the entry may be missing
  entry_id         uuid,
  created_at       timestamptz      NOT NULL,
  taken_at         timestamptz,
  CONSTRAINT takings_pkey PRIMARY KEY (balance_id, kind, reference),
  CONSTRAINT takings_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT takings_kind_check CHECK (kind IN (6, 9)),
  CONSTRAINT takings_amount_check CHECK (amount BETWEEN 1 AND 999999999999),
  CONSTRAINT takings_taken_check CHECK (
    taken BETWEEN 0 AND amount AND (taken IS NULL) = (entry_id IS NULL)
    AND (taken IS NULL) = (taken_at IS NULL)
  )
);
CREATE INDEX takings_waiting_idx ON takings (created_at) WHERE taken IS NULL;

CREATE TABLE debts (
  relationship_id  uuid    NOT NULL,
  merchant_id      uuid    NOT NULL,
  amount           bigint  NOT NULL,
  suspended        boolean NOT NULL,             -- the relationship is suspended because of it
  CONSTRAINT debts_pkey PRIMARY KEY (relationship_id),
  CONSTRAINT debts_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT debts_amount_check CHECK (amount >= 0)
);

GRANT SELECT ON takings, debts TO consign_read;

ALTER TABLE takings ENABLE ROW LEVEL SECURITY;
ALTER TABLE debts ENABLE ROW LEVEL SECURITY;

CREATE POLICY takings_scope_policy ON takings FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY debts_scope_policy ON debts FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
