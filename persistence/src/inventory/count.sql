-- How many serials of a sku are unclaimed after position ($3, $4); $5 ends the position's import.
-- A whole import says how many serials it has, the position's own is counted.
SELECT COALESCE((
         SELECT SUM(i.serials - claimed.n) FROM imports AS i
         CROSS JOIN LATERAL (
           SELECT COUNT(*) AS n FROM serial_claims AS c
           WHERE c.serial_id >= i.import_id
             AND c.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
         ) AS claimed
         WHERE i.product_id = $1 AND i.variant_id IS NOT DISTINCT FROM $2 AND i.number > $3
           AND i.low_ordinal < 4294967296
       ), 0)::bigint
     + (SELECT COUNT(*) FROM serials WHERE serial_id > $4 AND serial_id <= $5 AND removed_at IS NULL
          AND NOT EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = serials.serial_id
                            AND c.serial_id > $4 AND c.serial_id <= $5))
