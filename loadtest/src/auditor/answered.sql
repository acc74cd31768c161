SELECT count(*) FROM (
  SELECT a.reference, count(e.version) AS stored
  FROM answered a
  LEFT JOIN ledger_entries e ON e.kind = 1 AND e.reference = a.reference
  GROUP BY a.reference
  HAVING count(e.version) <> 1
) AS wrong
