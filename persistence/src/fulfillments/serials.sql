-- Serials by id, with their claims and the products of their imports. The look-ups are lateral and
-- limited, so that no plan reads a whole table.
SELECT asked.serial_id, s.sealed, c.line, c.unit_price, c.price_version, c.balance_id, c.version,
       i.product_id, i.variant_id,
       (SELECT r.revealed_at FROM reveals AS r WHERE r.serial_id = asked.serial_id) AS revealed_at
FROM UNNEST($1::uuid[], $2::uuid[]) AS asked (serial_id, import_id)
CROSS JOIN LATERAL (
  SELECT sealed FROM serials WHERE serials.serial_id = asked.serial_id LIMIT 1
) AS s
CROSS JOIN LATERAL (
  SELECT line, unit_price, price_version, balance_id, version
  FROM serial_claims WHERE serial_claims.serial_id = asked.serial_id LIMIT 1
) AS c
CROSS JOIN LATERAL (
  SELECT product_id, variant_id FROM imports WHERE imports.import_id = asked.import_id LIMIT 1
) AS i
