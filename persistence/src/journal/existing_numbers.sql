-- Which of these imports have their number, in the order asked.
SELECT found.number IS NOT NULL
FROM UNNEST($1::uuid[]) WITH ORDINALITY AS asked (import_id, place)
LEFT JOIN LATERAL (
  SELECT i.number FROM imports AS i WHERE i.import_id = asked.import_id LIMIT 1
) AS found ON true
ORDER BY asked.place
