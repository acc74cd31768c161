-- How many serials of a range are unclaimed, up to $3: read as `unclaimed.sql` reads them.
SELECT COUNT(*) FROM (
  SELECT s.serial_id FROM serials AS s
  WHERE s.serial_id >= $1 AND s.serial_id <= $2 AND s.removed_at IS NULL
    AND NOT EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = s.serial_id
                      AND c.serial_id >= $1 AND c.serial_id <= $2)
  ORDER BY s.serial_id LIMIT $3
) AS unclaimed
