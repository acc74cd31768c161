-- Those of the given serials that cannot be sold: claimed, removed, or not there at all.
SELECT asked.serial_id FROM UNNEST($1::uuid[]) AS asked (serial_id)
WHERE EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = asked.serial_id)
   OR NOT EXISTS (SELECT FROM serials AS s
                  WHERE s.serial_id = asked.serial_id AND s.removed_at IS NULL)
