-- The entry that bound an order id.
SELECT balance_id, version, id, amount, balance_after, created_at, reference, channel,
       key_id, fingerprint, email_sealed, serial_ids, details
FROM ledger_entries
WHERE balance_id = $1 AND kind = 1 AND reference = $2
