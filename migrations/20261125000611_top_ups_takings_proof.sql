-- Proves the constraints against the rows that there are; lanes go on writing meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE ledger_entries VALIDATE CONSTRAINT ledger_entries_amount_check;
ALTER TABLE invoices
  VALIDATE CONSTRAINT invoices_status_check,
  VALIDATE CONSTRAINT invoices_paid_at_check,
  VALIDATE CONSTRAINT invoices_completed_at_check,
  VALIDATE CONSTRAINT invoices_refunded_check;
