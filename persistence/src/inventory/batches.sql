-- Uploads of merchant $1, of product $2 if there is one, below the import $3, or the one import $4,
-- newest first, each with its serials by what became of them.
SELECT i.import_id, i.product_id, i.variant_id, i.label, i.serials, i.created_at,
       claimed.sold, claimed.quarantined, claimed.removed, claimed.pulled,
       replaced.burned + bought.burned AS burned
FROM imports AS i
CROSS JOIN LATERAL (
  SELECT COUNT(*) FILTER (WHERE c.kind IN (1, 5, 6, 7)) AS sold,
         COUNT(*) FILTER (WHERE c.kind = 2) AS quarantined,
         COUNT(*) FILTER (WHERE c.kind = 3) AS removed,
         COUNT(*) FILTER (WHERE c.kind = 4) AS pulled
  FROM serial_claims AS c
  WHERE c.serial_id >= i.import_id
    AND c.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
) AS claimed
CROSS JOIN LATERAL (
  SELECT COUNT(*) AS burned
  FROM replacements AS r
  WHERE r.serial_id >= i.import_id
    AND r.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
    -- The first names the index, the second what it means.
    AND r.status NOT IN ('REJECTED', 'CANCELLED') AND r.status IN ('ISSUED', 'CREDITED')
) AS replaced
CROSS JOIN LATERAL (
  SELECT COUNT(*) AS burned
  FROM sold_serials AS g
  WHERE g.serial_id >= i.import_id
    AND g.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
    AND g.successor_id IS NOT NULL
) AS bought
WHERE i.merchant_id = $1 AND NOT i.test AND ($2::uuid IS NULL OR i.product_id = $2)
  AND ($3::uuid IS NULL OR i.import_id < $3) AND ($4::uuid IS NULL OR i.import_id = $4)
ORDER BY i.import_id DESC LIMIT $5
