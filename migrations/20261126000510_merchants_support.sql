-- Where a merchant's resellers ask.

SET LOCAL lock_timeout = '2s';

ALTER TABLE merchants ADD COLUMN support_email text;
