-- Who hears of a fact: nobody's relationship for merchant $1 if $3, relationship $2 if that is one, and
-- every active relationship that sells product $4, if that is one, and its variant $5: by its access to it,
-- or because it refers customers to whatever the merchant has.
SELECT NULL::uuid AS relationship_id WHERE $3
UNION ALL
SELECT $2::uuid WHERE $2 IS NOT NULL
UNION ALL
(SELECT r.relationship_id FROM product_access AS a
 JOIN relationships AS r ON r.relationship_id = a.relationship_id
 WHERE a.product_id = $4 AND a.revoked_at IS NULL AND r.merchant_id = $1
   AND (a.variant_id IS NULL OR $5::uuid IS NULL OR a.variant_id = $5)
   AND r.status = 'ACTIVE'
 UNION
 SELECT r.relationship_id FROM relationships AS r
 WHERE $4 IS NOT NULL AND r.merchant_id = $1 AND r.status = 'ACTIVE'
   AND r.product_scope = 'ALL' AND r.mode IN ('AFFILIATE', 'BOTH'))
