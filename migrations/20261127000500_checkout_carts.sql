-- A visit and its invoice have several lines. What was there first stays where it was; what was added to it is
-- beside it. Lines have their places, and so have the sales that they make and the refunds of those, each of which
-- was one per invoice. Of a line is noted what was missing of it when it was paid, and what of it went back.

SET LOCAL lock_timeout = '2s';

ALTER TABLE checkout_sessions
  ADD COLUMN added jsonb NOT NULL DEFAULT '[]',
  ADD CONSTRAINT checkout_sessions_added_check
    CHECK (jsonb_typeof(added) = 'array' AND jsonb_array_length(added) <= 9) NOT VALID;
ALTER TABLE invoice_lines
  ADD COLUMN place    integer NOT NULL DEFAULT 0,
  ADD COLUMN missing  bigint  NOT NULL DEFAULT 0,
  ADD COLUMN refunded bigint  NOT NULL DEFAULT 0,
  ADD CONSTRAINT invoice_lines_place_check CHECK (place BETWEEN 0 AND 9) NOT VALID,
  ADD CONSTRAINT invoice_lines_refunded_check CHECK (
    missing >= 0 AND refunded >= 0 AND missing + refunded <= quantity * unit_price
  ) NOT VALID;
ALTER TABLE sales ADD COLUMN place integer NOT NULL DEFAULT 0;
ALTER TABLE sale_refunds ADD COLUMN place integer NOT NULL DEFAULT 0;
