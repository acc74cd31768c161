-- The account of relationship $1's earnings, zero if it has none, beside what its sales, payouts and entries add
-- up to.
SELECT COALESCE(e.version, 0) AS version, COALESCE(e.pending, 0) AS pending,
       COALESCE(e.approved, 0) AS approved, COALESCE(e.reversed, 0) AS reversed,
       COALESCE(e.paid_out, 0) AS paid_out, COALESCE(e.open_payouts, 0) AS open_payouts,
       sold.pending AS sums_pending, sold.approved AS sums_approved, sold.reversed AS sums_reversed,
       asked.paid_out AS sums_paid_out, asked.open_payouts AS sums_open_payouts,
       entry.entered, entry.entries, entry.last_version
FROM (SELECT $1::uuid AS relationship_id) AS r
LEFT JOIN earnings AS e ON e.relationship_id = r.relationship_id
CROSS JOIN LATERAL (
  SELECT COALESCE(SUM(s.commission - s.reversed) FILTER (WHERE s.commission_status = 'PENDING'), 0)::bigint
           AS pending,
         COALESCE(SUM(s.commission - s.reversed) FILTER (WHERE s.commission_status <> 'PENDING'), 0)::bigint
           AS approved,
         COALESCE(SUM(s.reversed), 0)::bigint AS reversed
  FROM sales AS s WHERE s.relationship_id = r.relationship_id
) AS sold
CROSS JOIN LATERAL (
  SELECT COALESCE(SUM(p.amount) FILTER (WHERE p.status = 'COMPLETED'), 0)::bigint AS paid_out,
         COALESCE(SUM(p.amount) FILTER (WHERE p.status IN ('PENDING', 'APPROVED')), 0)::bigint
           AS open_payouts
  FROM payouts AS p WHERE p.relationship_id = r.relationship_id
) AS asked
CROSS JOIN LATERAL (
  SELECT COALESCE(SUM(n.amount), 0)::bigint AS entered, COUNT(*) AS entries,
         COALESCE(MAX(n.version), 0) AS last_version
  FROM earning_entries AS n WHERE n.relationship_id = r.relationship_id
) AS entry
