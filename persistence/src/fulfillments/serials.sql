-- Serials by id, with their claims and the products of their imports. The look-ups are lateral and
-- limited, so that no plan reads a whole table.
SELECT asked.serial_id, s.sealed, c.line, c.unit_price, c.price_version, c.balance_id, c.version,
       COALESCE((SELECT true FROM refund_items AS g WHERE g.serial_id = asked.serial_id), false) AS refunded,
       i.product_id, i.variant_id, r.updated_at AS replaced_at, r.successor_id, r.successor_sealed,
       (SELECT v.revealed_at FROM reveals AS v WHERE v.serial_id = asked.serial_id) AS revealed_at
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
LEFT JOIN LATERAL (
  SELECT replacements.updated_at, replacements.successor_id,
         (SELECT n.sealed FROM serials AS n
          WHERE n.serial_id = replacements.successor_id LIMIT 1) AS successor_sealed
  FROM replacements
  WHERE replacements.serial_id = asked.serial_id AND replacements.status NOT IN ('REJECTED', 'CANCELLED')
    AND replacements.status IN ('ISSUED', 'CREDITED')
  LIMIT 1
) AS r ON true
