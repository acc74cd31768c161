-- Up to $3 imports of merchant $1 whose serials are sold, by product and then by id: from import $2 on, or from the
-- first one. The offset keeps the planner from reading all imports in their order for each product, in the hope of
-- finding as many of it early.
SELECT i.import_id
FROM (
  SELECT COALESCE((SELECT product_id FROM imports WHERE import_id = $2), $2) AS product_id
) AS start
JOIN products AS p ON p.merchant_id = $1 AND p.product_id >= start.product_id
CROSS JOIN LATERAL (
  SELECT own.import_id FROM (
    SELECT m.import_id FROM imports AS m
    WHERE m.product_id = p.product_id AND NOT m.test
      AND (p.product_id > start.product_id OR m.import_id >= $2)
    OFFSET 0
  ) AS own
  ORDER BY own.import_id LIMIT $3
) AS i
ORDER BY p.product_id, i.import_id LIMIT $3
