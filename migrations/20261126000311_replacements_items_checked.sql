-- What was stored before passes what the migration before this one added.

SET LOCAL lock_timeout = '2s';

ALTER TABLE replacements
  VALIDATE CONSTRAINT replacements_status_check,
  VALIDATE CONSTRAINT replacements_stock_request_id_fkey;
