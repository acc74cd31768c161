-- A paid invoice for which there was nothing waits for what comes: its reservation counts on serials that
-- are still to be uploaded, and is behind those that had theirs when they were made.

SET LOCAL lock_timeout = '2s';

ALTER TABLE reservations ADD COLUMN waits boolean NOT NULL DEFAULT false;
