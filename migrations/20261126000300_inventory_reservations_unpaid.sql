-- Of the units of a shelf, those that are reserved for somebody who has neither paid nor anybody's yes are a
-- share only.

SET LOCAL lock_timeout = '2s';

ALTER TABLE reservations ADD COLUMN unpaid boolean NOT NULL DEFAULT false;
