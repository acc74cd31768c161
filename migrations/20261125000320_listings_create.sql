-- Listings: products at a reseller's own price, delivered from the merchant's stock. Why one is blocked is kept
-- with how it was before, so that it comes back as it was.

SET LOCAL lock_timeout = '2s';

CREATE TABLE listings (
  listing_id       uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  relationship_id  uuid        NOT NULL,
  product_id       uuid        NOT NULL,
  variant_id       uuid,
  price            bigint      NOT NULL,
  status           text        NOT NULL,
  blocked_reason   text,
  paused           boolean     NOT NULL,            -- how it is while nothing blocks it
  note             text,                            -- why the merchant archived it
  reviewed_at      timestamptz NOT NULL,
  created_at       timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  CONSTRAINT listings_pkey PRIMARY KEY (listing_id),
  CONSTRAINT listings_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT listings_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT listings_price_check CHECK (price BETWEEN 0 AND 999999999999),
  CONSTRAINT listings_status_check CHECK (status IN ('ACTIVE', 'PAUSED', 'BLOCKED', 'ARCHIVED')),
  CONSTRAINT listings_paused_check CHECK (status IN ('BLOCKED', 'ARCHIVED') OR paused = (status = 'PAUSED')),
  CONSTRAINT listings_blocked_reason_check CHECK ((blocked_reason IS NULL) = (status <> 'BLOCKED')
    AND blocked_reason IN ('BELOW_FLOOR', 'ABOVE_MAXIMUM', 'ACCESS_REVOKED', 'NOT_ELIGIBLE',
      'RELATIONSHIP', 'PROGRAM'))
);
-- One that lives for each product, or variant, of a relationship.
CREATE UNIQUE INDEX listings_live_key ON listings (relationship_id, product_id, variant_id)
  NULLS NOT DISTINCT WHERE status <> 'ARCHIVED';
CREATE INDEX listings_relationship_id_listing_id_idx ON listings (relationship_id, listing_id);
CREATE INDEX listings_product_id_idx ON listings (product_id);
CREATE INDEX listings_reviewed_at_idx ON listings (reviewed_at) WHERE status <> 'ARCHIVED';

GRANT SELECT ON listings TO consign_read;
ALTER TABLE listings ENABLE ROW LEVEL SECURITY;
CREATE POLICY listings_scope_policy ON listings FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
