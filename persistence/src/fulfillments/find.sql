-- The entries that bound these order ids, each with the place of its order id. The look-up is lateral
-- and limited, so that no plan reads the whole table.
SELECT asked.place, e.balance_id, e.version, e.id, e.amount, e.balance_after, e.created_at,
       e.reference, e.channel, e.key_id, e.fingerprint, e.email_sealed, e.serial_ids, e.details,
       COALESCE((SELECT r.refunded FROM refunded AS r
                 WHERE r.balance_id = e.balance_id AND r.version = e.version), 0) AS refunded
FROM UNNEST($1::bigint[], $2::text[]) WITH ORDINALITY AS asked (balance_id, reference, place)
CROSS JOIN LATERAL (
  SELECT balance_id, version, id, amount, balance_after, created_at, reference, channel, key_id,
         fingerprint, email_sealed, serial_ids, details
  FROM ledger_entries
  WHERE ledger_entries.balance_id = asked.balance_id AND kind = 1
    AND ledger_entries.reference = asked.reference COLLATE "C"
  LIMIT 1
) AS e
