-- A sale whose invoice is disputed: nothing is decided, and what is owed for it waits.

SET LOCAL lock_timeout = '2s';

ALTER TABLE sales
  DROP CONSTRAINT sales_status_check,
  ADD CONSTRAINT sales_status_check
    CHECK (status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED')) NOT VALID;
