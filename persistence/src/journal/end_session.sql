-- Ends the session that a lane's row names, if it is still the same one: a process number returns.
SELECT pg_terminate_backend(a.pid)
FROM lanes AS l
JOIN pg_stat_activity AS a ON a.pid = l.backend_pid AND a.backend_start = l.backend_start
WHERE l.lane = $1 AND l.owner = $2
