-- Proves the rows that there are against the constraints that listings changed, without keeping new ones from
-- being written meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE links
  VALIDATE CONSTRAINT links_kind_check,
  VALIDATE CONSTRAINT links_code_check;
ALTER TABLE checkout_sessions
  VALIDATE CONSTRAINT checkout_sessions_listing_id_fkey,
  VALIDATE CONSTRAINT checkout_sessions_came_check;
ALTER TABLE invoice_lines
  VALIDATE CONSTRAINT invoice_lines_share_check,
  VALIDATE CONSTRAINT invoice_lines_wholesale_price_check;
