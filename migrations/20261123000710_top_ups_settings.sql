-- What a reseller sets about its balance: when it is low, and whether it is topped up by itself. An index
-- lets one automatic invoice wait at a time, whoever races.

CREATE TABLE balance_settings (
  relationship_id  uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  low_threshold    bigint,
  low_hours        integer,
  low_told         boolean     NOT NULL DEFAULT false,
  auto_enabled     boolean     NOT NULL DEFAULT false,
  auto_threshold   bigint,
  auto_amount      bigint,
  auto_coin        text,
  auto_expired     integer     NOT NULL DEFAULT 0,   -- in a row
  auto_paused      boolean     NOT NULL DEFAULT false,
  auto_not_before  timestamptz,
  auto_version     bigint      NOT NULL DEFAULT 0,   -- of the ledger when the last one ended unpaid
  updated_at       timestamptz NOT NULL,
  CONSTRAINT balance_settings_pkey PRIMARY KEY (relationship_id),
  CONSTRAINT balance_settings_merchant_id_fkey
    FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT balance_settings_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT balance_settings_low_threshold_check CHECK (low_threshold BETWEEN 0 AND 999999999999),
  CONSTRAINT balance_settings_low_hours_check CHECK (low_hours BETWEEN 1 AND 720),
  CONSTRAINT balance_settings_auto_threshold_check CHECK (auto_threshold BETWEEN 0 AND 999999999999),
  CONSTRAINT balance_settings_auto_amount_check CHECK (auto_amount BETWEEN 1 AND 999999999999),
  CONSTRAINT balance_settings_auto_check CHECK (NOT auto_enabled
    OR (auto_threshold IS NOT NULL AND auto_amount IS NOT NULL AND auto_coin IS NOT NULL))
);

CREATE UNIQUE INDEX invoices_relationship_id_automatic_key ON invoices (relationship_id)
  WHERE origin = 'AUTO' AND status IN ('OPEN', 'CONFIRMING');
