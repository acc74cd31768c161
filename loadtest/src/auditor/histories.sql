INSERT INTO answered (reference)
SELECT sent.reference
FROM (
  SELECT h.prefix || '-' || n AS reference
  FROM UNNEST($1::text[], $2::bigint[]) AS h (prefix, sent)
  CROSS JOIN LATERAL generate_series(0, h.sent - 1) AS n
) AS sent
LEFT JOIN UNNEST($3::text[]) AS o (reference) ON o.reference = sent.reference
WHERE o.reference IS NULL
