-- Sums up at most $2 entries of balance $1 after those that were summed up before, all or nothing. Of two
-- at once the later one finds that the version has moved on, and adds nothing.
WITH before (through) AS (
  SELECT COALESCE((SELECT through_version FROM purchase_sums WHERE balance_id = $1), 0)
),
entries AS (
  SELECT version, kind, amount, key_id, (created_at AT TIME ZONE 'UTC')::date AS day
  FROM ledger_entries
  WHERE balance_id = $1 AND version > (SELECT through FROM before)
    AND version <= (SELECT through FROM before) + $2
),
moved AS (
  INSERT INTO purchase_sums AS s (balance_id, through_version, credited, spent, updated_at)
  SELECT $1, MAX(version), COALESCE(SUM(amount) FILTER (WHERE kind <> 1), 0),
         COALESCE(SUM(-amount) FILTER (WHERE kind = 1), 0), $3
  FROM entries HAVING COUNT(*) > 0
  ON CONFLICT ON CONSTRAINT purchase_sums_pkey DO UPDATE
    SET through_version = EXCLUDED.through_version, credited = s.credited + EXCLUDED.credited,
        spent = s.spent + EXCLUDED.spent, updated_at = EXCLUDED.updated_at
    WHERE s.through_version = (SELECT through FROM before)
  RETURNING through_version
),
days AS (
  INSERT INTO purchase_days AS d (balance_id, day, key_id, spent)
  SELECT $1, day, key_id, SUM(-amount) FROM entries
  WHERE kind = 1 AND EXISTS (SELECT FROM moved) GROUP BY day, key_id
  ON CONFLICT ON CONSTRAINT purchase_days_pkey DO UPDATE SET spent = d.spent + EXCLUDED.spent
)
SELECT through_version FROM moved
