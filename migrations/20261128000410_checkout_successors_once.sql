-- no-transaction
-- A serial takes the place of one other at most.
CREATE UNIQUE INDEX CONCURRENTLY sold_serials_successor_id_key ON sold_serials (successor_id)
  WHERE successor_id IS NOT NULL;
