-- The job that ends holds looks for what is due of one relationship: without this it walks over everybody's.

SET LOCAL lock_timeout = '2s';
CREATE INDEX sales_relationship_id_hold_until_idx ON sales (relationship_id, hold_until)
  WHERE commission_status = 'PENDING';
