SELECT f.fulfillment_id, f.fingerprint, p.title, f.unit_minor, f.price_version, f.created_at,
  l.balance_after_minor,
  ARRAY(SELECT s.serial_id FROM serials s
    WHERE s.fulfillment_id = f.fulfillment_id ORDER BY s.serial_id) AS serial_ids,
  ARRAY(SELECT s.ciphertext FROM serials s
    WHERE s.fulfillment_id = f.fulfillment_id ORDER BY s.serial_id) AS ciphertexts
FROM fulfillments f
JOIN products p ON p.product_id = f.product_id
JOIN ledger_entries l ON l.relationship_id = f.relationship_id
  AND l.fulfillment_id = f.fulfillment_id
WHERE f.relationship_id = $1 AND f.external_order_id = $2
