SELECT outcome, title, unit_minor, price_version, created_at, balance_after_minor, serial_ids,
  ciphertexts
FROM fulfill_v1($1, $2, $3, $4, $5, $6, $7, $8)
