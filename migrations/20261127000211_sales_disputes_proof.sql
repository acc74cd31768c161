-- Proves the rows that there are against the constraint that disputes changed, without keeping new ones from being
-- written meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE sales
  VALIDATE CONSTRAINT sales_status_check;
