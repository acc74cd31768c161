-- Refunds of fulfillments. What a refund gives back is taken from what may still be given back first,
-- in an ordinary transaction; then the ledger's entry follows under the refund's own reference. So
-- refunds that race cannot give back more than was paid, and one that a crash cut off is completed.

CREATE TABLE refunded (
  balance_id  bigint NOT NULL,
  version     bigint NOT NULL,
  cost        bigint NOT NULL,
  refunded    bigint NOT NULL,
  CONSTRAINT refunded_pkey PRIMARY KEY (balance_id, version),
  CONSTRAINT refunded_check CHECK (refunded BETWEEN 0 AND cost)
);

CREATE TABLE refunds (
  balance_id   bigint           NOT NULL,
  reference    text COLLATE "C" NOT NULL,
  merchant_id  uuid             NOT NULL,
  version      bigint           NOT NULL,
  amount       bigint           NOT NULL,
  description  text             NOT NULL,
  created_at   timestamptz      NOT NULL,
  credited_at  timestamptz,                     -- none: the entry may be missing
  CONSTRAINT refunds_pkey PRIMARY KEY (balance_id, reference),
  CONSTRAINT refunds_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT refunds_amount_check CHECK (amount > 0)
);
CREATE INDEX refunds_waiting_idx ON refunds (created_at) WHERE credited_at IS NULL;
