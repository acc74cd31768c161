-- The last entry of a ledger and the one before it.
SELECT version, amount, balance_after FROM ledger_entries
WHERE balance_id = $1 ORDER BY version DESC LIMIT 2
