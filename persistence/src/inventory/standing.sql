-- Where these serials of merchant $2 stand, in the order asked; one of another merchant, or none, has no
-- import. Look-ups are lateral and limited, so that no plan reads a whole table.
SELECT i.product_id, i.variant_id, i.number, s.sealed,
       EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = asked.serial_id) AS claimed
FROM UNNEST($1::uuid[]) WITH ORDINALITY AS asked (serial_id, place)
LEFT JOIN LATERAL (
  SELECT serials.serial_id, serials.sealed FROM serials
  WHERE serials.serial_id = asked.serial_id AND serials.merchant_id = $2
  LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
  SELECT imports.product_id, imports.variant_id, imports.number FROM imports
  WHERE imports.import_id = (LEFT(s.serial_id::text, 28) || '00000000')::uuid
  LIMIT 1
) AS i ON true
ORDER BY asked.place
