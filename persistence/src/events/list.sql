-- At most $3 events of feed $1 above number $2, in order: of an entry what the ledger says of it, else
-- the fact. The look-ups are lateral and limited, so that no plan reads a whole table.
WITH spans AS (
  SELECT s.first_seq, GREATEST($2 + 1 - s.first_seq, 0) AS heard, s.balance_ids, s.versions,
         s.event_id, s.fact, s.occurred_at
  FROM event_spans AS s
  WHERE s.feed_id = $1 AND s.last_seq > $2
  ORDER BY s.feed_id, s.last_seq
  LIMIT $3
), numbered AS (
  SELECT s.first_seq + s.heard + f.place - 1 AS seq, f.balance_id, f.version,
         NULL::uuid AS event_id, NULL::jsonb AS fact, NULL::timestamptz AS occurred_at
  FROM spans AS s
  CROSS JOIN LATERAL UNNEST(s.balance_ids[(s.heard + 1)::integer : (s.heard + $3)::integer],
                            s.versions[(s.heard + 1)::integer : (s.heard + $3)::integer])
    WITH ORDINALITY AS f (balance_id, version, place)
  WHERE s.fact IS NULL
  UNION ALL
  SELECT s.first_seq, NULL, NULL, s.event_id, s.fact, s.occurred_at FROM spans AS s
  WHERE s.fact IS NOT NULL
), page AS (
  SELECT seq, balance_id, version, event_id, fact, occurred_at FROM numbered ORDER BY seq LIMIT $3
)
SELECT p.seq, p.balance_id, p.version, p.event_id, p.fact,
       COALESCE(p.occurred_at, e.created_at) AS occurred_at, e.id AS entry_id, e.kind, e.channel,
       e.amount, e.balance_after, e.reference, e.description, r.refunded_id,
       -- Of a test balance that was reset since, its old row says whose it was.
       COALESCE(b.relationship_id, (SELECT o.relationship_id FROM retired_balances AS o
                                    WHERE o.balance_id = p.balance_id)) AS relationship_id
FROM page AS p
LEFT JOIN LATERAL (
  SELECT id, CASE WHEN kind = 1 AND channel = 7 THEN 8 ELSE kind END::smallint AS kind, channel, amount, balance_after, created_at, reference,
         CASE WHEN kind <> 1 THEN details ->> 'description' END AS description
  FROM ledger_entries
  WHERE ledger_entries.balance_id = p.balance_id AND ledger_entries.version = p.version LIMIT 1
) AS e ON true
LEFT JOIN LATERAL (
  SELECT f.id AS refunded_id FROM refunds
  JOIN ledger_entries AS f ON f.balance_id = refunds.balance_id AND f.version = refunds.version
  WHERE e.kind = 4 AND refunds.balance_id = p.balance_id AND refunds.reference = e.reference LIMIT 1
) AS r ON true
LEFT JOIN LATERAL (
  SELECT relationship_id FROM balances WHERE balances.balance_id = p.balance_id LIMIT 1
) AS b ON true
ORDER BY p.seq
