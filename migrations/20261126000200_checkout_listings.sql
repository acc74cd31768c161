-- A checkout at the price of a listing. What a listing brings is attributed as what a link or a campaign brings:
-- by a row of `links` with the listing's id, which nobody follows by a code. Its share is what is above the
-- wholesale price of the moment of the customer's yes, which is kept with the line.

SET LOCAL lock_timeout = '2s';

ALTER TABLE links
  DROP CONSTRAINT links_kind_check,
  DROP CONSTRAINT links_code_check,
  ADD CONSTRAINT links_kind_check CHECK (kind IN ('LINK', 'CAMPAIGN', 'LISTING')) NOT VALID,
  ADD CONSTRAINT links_code_check
    CHECK ((code IS NULL) = (kind <> 'LINK' OR link_id = relationship_id)) NOT VALID;

ALTER TABLE checkout_sessions
  ADD COLUMN listing_id uuid,
  ADD CONSTRAINT checkout_sessions_listing_id_fkey
    FOREIGN KEY (listing_id) REFERENCES listings (listing_id) NOT VALID,
  ADD CONSTRAINT checkout_sessions_came_check CHECK (listing_id IS NULL OR link_id IS NULL) NOT VALID;

ALTER TABLE invoice_lines
  ADD COLUMN wholesale_price bigint,                -- of a unit; none: the share is a percentage
  DROP CONSTRAINT invoice_lines_share_check,
  ADD CONSTRAINT invoice_lines_share_check CHECK (
    (relationship_id IS NULL) = (link_id IS NULL)
    AND (relationship_id IS NULL) = (hold_days IS NULL)
    AND num_nonnulls(commission_percent, wholesale_price) = num_nonnulls(relationship_id)
  ) NOT VALID,
  ADD CONSTRAINT invoice_lines_wholesale_price_check
    CHECK (wholesale_price BETWEEN 0 AND unit_price) NOT VALID;
