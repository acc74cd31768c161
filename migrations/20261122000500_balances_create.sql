-- Prepaid money. A balance has no amount of its own: the last entry of its ledger says it, and the
-- constraints here repeat what the engine promises.

CREATE TABLE balances (
  balance_id       bigint   GENERATED ALWAYS AS IDENTITY,
  relationship_id  uuid     NOT NULL,
  merchant_id      uuid     NOT NULL,
  test             boolean  NOT NULL,
  CONSTRAINT balances_pkey PRIMARY KEY (balance_id),
  CONSTRAINT balances_relationship_id_test_key UNIQUE (relationship_id, test),
  CONSTRAINT balances_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id)
);

-- An entry of a kind that delivers is the fulfillment. One unique key serves order ids, payments and
-- credits. Kinds: 1 fulfillment, 2 top-up, 3 credit.
CREATE TABLE ledger_entries (
  balance_id     bigint      NOT NULL,
  version        bigint      NOT NULL,
  kind           smallint    NOT NULL,
  channel        smallint,
  id             uuid        NOT NULL,
  amount         bigint      NOT NULL,
  balance_after  bigint      NOT NULL,
  created_at     timestamptz NOT NULL,
  key_id         uuid,
  reference      text COLLATE "C" NOT NULL,
  fingerprint    bytea,
  email_sealed   bytea,
  serial_ids     uuid[],
  details        jsonb,
  CONSTRAINT ledger_entries_pkey PRIMARY KEY (balance_id, version),
  CONSTRAINT ledger_entries_balance_id_kind_reference_key UNIQUE (balance_id, kind, reference),
  CONSTRAINT ledger_entries_version_check CHECK (version >= 1),
  CONSTRAINT ledger_entries_balance_after_check CHECK (balance_after >= 0),
  CONSTRAINT ledger_entries_amount_check CHECK ((kind = 1 AND amount <= 0) OR (kind <> 1 AND amount > 0)),
  CONSTRAINT ledger_entries_fulfillment_check
    CHECK (kind <> 1 OR (channel IS NOT NULL AND key_id IS NOT NULL AND fingerprint IS NOT NULL
                         AND serial_ids IS NOT NULL))
);
