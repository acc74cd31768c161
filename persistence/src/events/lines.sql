-- What the entries delivered, by line, in the order of the entries asked for. The look-ups are lateral
-- and limited, so that no plan reads a whole table.
SELECT asked.balance_id, asked.version, c.line, c.unit_price, COUNT(*) AS quantity, i.product_id,
       i.variant_id
FROM UNNEST($1::bigint[], $2::bigint[]) AS asked (balance_id, version)
CROSS JOIN LATERAL (
  SELECT serial_ids FROM ledger_entries
  WHERE ledger_entries.balance_id = asked.balance_id AND ledger_entries.version = asked.version LIMIT 1
) AS e
CROSS JOIN LATERAL UNNEST(e.serial_ids) AS sold (serial_id)
CROSS JOIN LATERAL (
  SELECT line, unit_price FROM serial_claims
  WHERE serial_claims.serial_id = sold.serial_id LIMIT 1
) AS c
CROSS JOIN LATERAL (
  SELECT product_id, variant_id FROM imports
  WHERE imports.import_id = (LEFT(sold.serial_id::text, 28) || '00000000')::uuid LIMIT 1
) AS i
GROUP BY asked.balance_id, asked.version, c.line, c.unit_price, i.product_id, i.variant_id
ORDER BY asked.balance_id, asked.version, c.line
