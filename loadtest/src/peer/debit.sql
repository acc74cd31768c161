-- Last before the commit, so that the row everybody of one reseller wants is locked for one round
-- trip only. No row: the balance does not cover the cost.
WITH debited AS (
  UPDATE balances SET posted_minor = posted_minor - $2, version = version + 1
  WHERE relationship_id = $1 AND posted_minor >= $2
  RETURNING posted_minor, version
)
INSERT INTO ledger_entries (relationship_id, version, kind, amount_minor, balance_after_minor,
  fulfillment_id, created_at)
SELECT $1, version, 1, -$2, posted_minor, $3, clock_timestamp() FROM debited
RETURNING balance_after_minor
