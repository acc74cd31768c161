UPDATE serials
SET relationship_id = $3, fulfillment_id = $4, line = 1, unit_minor = $5, price_version = $6
WHERE serial_id = ANY (ARRAY(
  SELECT serial_id FROM serials
  WHERE product_id = $1 AND fulfillment_id IS NULL
  ORDER BY serial_id LIMIT $2
  FOR UPDATE SKIP LOCKED))
RETURNING serial_id, ciphertext
