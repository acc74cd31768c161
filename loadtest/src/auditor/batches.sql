SELECT count(*) FROM (
  SELECT seq - lag(seq) OVER lane AS step, fence < lag(fence) OVER lane AS sank
  FROM batches
  WINDOW lane AS (PARTITION BY lane ORDER BY seq)
) AS numbered
WHERE step <> 1 OR sank
