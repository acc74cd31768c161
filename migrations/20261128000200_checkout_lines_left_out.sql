-- A line whose whole price went back before it left its shelf is left out of the delivery. Nobody was left out before.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoice_lines ADD COLUMN left_out boolean NOT NULL DEFAULT false;
