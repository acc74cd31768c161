-- Raises a lane's fence and says which session has it now, so that the next one can end it.
UPDATE lanes
SET fence = fence + 1,
    backend_pid = pg_backend_pid(),
    backend_start = (SELECT backend_start FROM pg_stat_get_activity(pg_backend_pid()))
WHERE lane = $1 AND owner = $2
RETURNING fence, seq
