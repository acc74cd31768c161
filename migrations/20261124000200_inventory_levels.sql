-- How each shelf stood when it was last looked at: the mark that lets running low, running out and being
-- filled again be told once each. A shelf without a row was not looked at yet, and its first look tells
-- nothing.

SET LOCAL lock_timeout = '2s';

CREATE TABLE shelf_levels (
  shelf_id     uuid         NOT NULL,   -- the variant's id, or the product's own if it has no variants
  product_id   uuid         NOT NULL,
  level        text         NOT NULL,
  noted_at     timestamptz  NOT NULL,
  CONSTRAINT shelf_levels_pkey PRIMARY KEY (shelf_id),
  CONSTRAINT shelf_levels_product_id_fkey
    FOREIGN KEY (product_id) REFERENCES products (product_id) ON DELETE CASCADE,
  CONSTRAINT shelf_levels_level_check CHECK (level IN ('STOCKED', 'LOW', 'OUT'))
);
CREATE INDEX shelf_levels_product_id_idx ON shelf_levels (product_id);

-- Who may sell a product hears of its price and of its shelf.
CREATE INDEX product_access_product_id_idx ON product_access (product_id);
