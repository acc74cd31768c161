-- How many serials of these ranges are unclaimed, up to $3 in all. Each range is read as `unclaimed.sql` reads one, and
-- one that is not needed any more is not read.
SELECT COUNT(*) FROM (
  SELECT unclaimed.serial_id
  FROM UNNEST($1::uuid[], $2::uuid[]) AS wanted (first, last)
  CROSS JOIN LATERAL (
    SELECT s.serial_id FROM serials AS s
    WHERE s.serial_id >= wanted.first AND s.serial_id <= wanted.last AND s.removed_at IS NULL
      AND NOT EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = s.serial_id
                        AND c.serial_id >= wanted.first AND c.serial_id <= wanted.last)
    ORDER BY s.serial_id LIMIT $3
  ) AS unclaimed
  LIMIT $3
) AS counted
