SELECT count(*) FROM (
  SELECT serial_id
  FROM ledger_entries CROSS JOIN LATERAL UNNEST(serial_ids) AS s (serial_id)
  WHERE kind = 1
  GROUP BY serial_id
  HAVING count(*) > 1
) AS twice
