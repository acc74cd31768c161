-- Which of these withdrawals were made, in the order asked.
SELECT found.withdrawal_id IS NOT NULL
FROM UNNEST($1::uuid[]) WITH ORDINALITY AS asked (withdrawal_id, place)
LEFT JOIN LATERAL (
  SELECT w.withdrawal_id FROM withdrawals AS w WHERE w.withdrawal_id = asked.withdrawal_id LIMIT 1
) AS found ON true
ORDER BY asked.place
