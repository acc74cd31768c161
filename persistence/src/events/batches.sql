-- The batches of lane $1 above number $2, up to $3: at most as many as have $4 entries together, unless the
-- first alone has more.
WITH next AS (
  SELECT b.seq, b.balance_ids, b.versions
  FROM batches AS b
  WHERE b.lane = $1 AND b.seq > $2 AND b.seq <= $3
  ORDER BY b.lane, b.seq
), counted AS (
  SELECT seq, balance_ids, versions, SUM(CARDINALITY(balance_ids)) OVER (ORDER BY seq) AS entries,
         ROW_NUMBER() OVER (ORDER BY seq) AS place
  FROM next
)
SELECT seq, balance_ids, versions FROM counted WHERE entries <= $4 OR place = 1 ORDER BY seq
