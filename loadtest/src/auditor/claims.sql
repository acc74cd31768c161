-- Both directions: an entry whose claims do not add up to it, and a claim without its entry.
WITH claimed AS (
  SELECT balance_id, version, count(*) AS serials, sum(unit_price) AS cost,
    array_agg(serial_id ORDER BY serial_id) AS serial_ids
  FROM serial_claims WHERE kind = 1
  GROUP BY balance_id, version
), entered AS (
  SELECT balance_id, version, -amount AS cost, cardinality(serial_ids) AS serials,
    ARRAY(SELECT s FROM UNNEST(serial_ids) AS s ORDER BY s) AS serial_ids
  FROM ledger_entries WHERE kind = 1
)
SELECT count(*)
FROM claimed FULL JOIN entered USING (balance_id, version)
WHERE claimed.serials IS DISTINCT FROM entered.serials
  OR claimed.cost IS DISTINCT FROM entered.cost
  OR claimed.serial_ids IS DISTINCT FROM entered.serial_ids
