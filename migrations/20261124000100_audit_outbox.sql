-- Who did what a lane committed: stored by the statement of the change, then taken into the audit log of
-- the merchant, which has a lock that no lane may wait for. A row names an entry of a ledger or a
-- withdrawal. It is empty but for what was done a moment ago.

SET LOCAL lock_timeout = '2s';

CREATE TABLE audit_outbox (
  outbox_id      bigint      GENERATED ALWAYS AS IDENTITY,
  merchant_id    uuid        NOT NULL,
  actor          jsonb       NOT NULL,
  balance_id     bigint,
  version        bigint,
  withdrawal_id  uuid,
  done_at        timestamptz NOT NULL,
  CONSTRAINT audit_outbox_pkey PRIMARY KEY (outbox_id),
  CONSTRAINT audit_outbox_check
    CHECK (NUM_NONNULLS(balance_id, version, withdrawal_id) = CASE WHEN withdrawal_id IS NULL THEN 2 ELSE 1 END)
);

-- None where another record says who did it, as for replacements.
ALTER TABLE withdrawals ADD COLUMN actor jsonb;
