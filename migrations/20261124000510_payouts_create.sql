-- Payouts that resellers ask for, the addresses they were asked for to, and who the resellers are. What is
-- open is set aside in `earnings`, whose row is locked first, so nobody asks twice for the same money.

SET LOCAL lock_timeout = '2s';

CREATE TABLE payouts (
  payout_id        uuid             NOT NULL,
  merchant_id      uuid             NOT NULL,
  relationship_id  uuid             NOT NULL,
  request_id       uuid             NOT NULL,          -- what the request is known again by
  amount           bigint           NOT NULL,
  asset            text             NOT NULL,
  network          text             NOT NULL,
  chain            text COLLATE "C" NOT NULL,          -- the one name of the network
  address          text             NOT NULL,
  note             text,
  status           text             NOT NULL,
  status_reason    text,
  approvable_at    timestamptz      NOT NULL,
  forced           boolean          NOT NULL DEFAULT false,
  tx_hash          text COLLATE "C",
  asset_amount     text,
  approved_at      timestamptz,
  completed_at     timestamptz,
  rejected_at      timestamptz,
  cancelled_at     timestamptz,
  created_at       timestamptz      NOT NULL,
  updated_at       timestamptz      NOT NULL,
  CONSTRAINT payouts_pkey PRIMARY KEY (payout_id),
  CONSTRAINT payouts_relationship_id_request_id_key UNIQUE (relationship_id, request_id),
  CONSTRAINT payouts_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT payouts_amount_check CHECK (amount BETWEEN 1 AND 999999999999),
  CONSTRAINT payouts_status_check
    CHECK (status IN ('PENDING', 'APPROVED', 'COMPLETED', 'REJECTED', 'CANCELLED')),
  CONSTRAINT payouts_completed_at_check CHECK ((completed_at IS NOT NULL) = (status = 'COMPLETED')),
  CONSTRAINT payouts_tx_hash_check CHECK (tx_hash IS NULL OR status = 'COMPLETED')
);
CREATE INDEX payouts_relationship_id_payout_id_idx ON payouts (relationship_id, payout_id);
-- One transaction pays one payout.
CREATE UNIQUE INDEX payouts_merchant_id_chain_tx_hash_key ON payouts (merchant_id, chain, tx_hash)
  WHERE tx_hash IS NOT NULL;

-- Since when an address is known: a new one waits.
CREATE TABLE payout_addresses (
  relationship_id  uuid             NOT NULL,
  network          text             NOT NULL,
  address          text COLLATE "C" NOT NULL,
  created_at       timestamptz      NOT NULL,
  CONSTRAINT payout_addresses_pkey PRIMARY KEY (relationship_id, network, address),
  CONSTRAINT payout_addresses_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id)
);

CREATE TABLE verifications (
  relationship_id  uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  status           text        NOT NULL,
  legal_name       text,
  country          text,
  contact          text,
  evidence_url     text,
  reason           text,
  decided_at       timestamptz,
  updated_at       timestamptz NOT NULL,
  CONSTRAINT verifications_pkey PRIMARY KEY (relationship_id),
  CONSTRAINT verifications_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT verifications_status_check
    CHECK (status IN ('UNVERIFIED', 'SUBMITTED', 'VERIFIED', 'REJECTED')),
  CONSTRAINT verifications_details_check
    CHECK (status = 'UNVERIFIED'
           OR (legal_name IS NOT NULL AND country IS NOT NULL AND contact IS NOT NULL))
);

GRANT SELECT ON payouts, verifications TO consign_read;

ALTER TABLE payouts ENABLE ROW LEVEL SECURITY;
ALTER TABLE verifications ENABLE ROW LEVEL SECURITY;

CREATE POLICY payouts_scope_policy ON payouts FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY verifications_scope_policy ON verifications FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
