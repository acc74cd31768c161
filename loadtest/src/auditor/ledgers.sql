SELECT count(*) FROM (
  SELECT version, balance_after,
    row_number() OVER ledger AS expected_version,
    sum(amount) OVER ledger AS expected_balance
  FROM ledger_entries
  WINDOW ledger AS (PARTITION BY balance_id ORDER BY version)
) AS replay
WHERE version <> expected_version OR balance_after <> expected_balance OR balance_after < 0
