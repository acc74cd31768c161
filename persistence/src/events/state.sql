-- What the dispatcher of shard $1 finds: who owns the shard, how far each lane was told, what waits beside, and
-- whether anything is sent to anybody.
SELECT s.owner,
       ARRAY (
         SELECT jsonb_build_array(l.lane, COALESCE(c.seq, 0), l.seq)
         FROM lanes AS l LEFT JOIN event_cursors AS c ON c.lane = l.lane
         ORDER BY l.lane
       ) AS lanes,
       o.facts, o.oldest_fact,
       EXISTS (SELECT FROM webhooks WHERE status = 'ACTIVE') AS heard
FROM shards AS s
CROSS JOIN LATERAL (
  SELECT COUNT(*) AS facts, MIN(occurred_at) AS oldest_fact FROM event_outbox
) AS o
WHERE s.shard = $1
