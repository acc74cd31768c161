-- Ends the session that holds a shard's lock if the shard had no heartbeat for $3 seconds. A session
-- that got the lock a moment ago stands under its predecessor's heartbeat, so it must have been silent
-- for as long itself.
SELECT pg_terminate_backend(a.pid)
FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid
JOIN shards AS s ON s.shard = $1
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.classid::bigint = $2 AND l.objid::bigint = $1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND a.state_change < clock_timestamp() - make_interval(secs => $3)
  AND COALESCE(s.heartbeat_at, '-infinity') < clock_timestamp() - make_interval(secs => $3)
