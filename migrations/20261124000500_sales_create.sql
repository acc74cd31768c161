-- Tracked links, the sales they brought, each with its commission, and the account of what a reseller has
-- earned. `earnings` is kept in step with its sales by the transactions that change them; its row is locked
-- first, so changes of one relationship's earnings come one after the other.

CREATE TABLE links (
  link_id            uuid             NOT NULL,
  merchant_id        uuid             NOT NULL,
  relationship_id    uuid             NOT NULL,
  name               text             NOT NULL,
  code               text COLLATE "C",                 -- none: the relationship's own code
  target_product_id  uuid,
  target_url         text,
  status             text             NOT NULL,
  clicks             bigint           NOT NULL DEFAULT 0,
  created_at         timestamptz      NOT NULL,
  updated_at         timestamptz      NOT NULL,
  CONSTRAINT links_pkey PRIMARY KEY (link_id),
  CONSTRAINT links_code_key UNIQUE (code),
  CONSTRAINT links_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT links_target_product_id_fkey FOREIGN KEY (target_product_id)
    REFERENCES products (product_id) ON DELETE SET NULL,
  CONSTRAINT links_status_check CHECK (status IN ('ACTIVE', 'PAUSED', 'REVOKED')),
  CONSTRAINT links_clicks_check CHECK (clicks >= 0),
  -- Every relationship has one link of its own, whose id and code are the relationship's.
  CONSTRAINT links_code_check CHECK ((code IS NULL) = (link_id = relationship_id))
);
CREATE INDEX links_relationship_id_link_id_idx ON links (relationship_id, link_id);

INSERT INTO links (link_id, merchant_id, relationship_id, name, status, created_at, updated_at)
  SELECT relationship_id, merchant_id, relationship_id, 'Default', 'ACTIVE', created_at, created_at
  FROM relationships;

-- Who was counted in this hour: a keyed digest, which is another one in the next hour.
CREATE TABLE link_visitors (
  link_id     uuid        NOT NULL,
  visitor     bytea       NOT NULL,
  created_at  timestamptz NOT NULL,
  CONSTRAINT link_visitors_pkey PRIMARY KEY (link_id, visitor)
);
CREATE INDEX link_visitors_created_at_idx ON link_visitors (created_at);

CREATE TABLE sales (
  sale_id              uuid             NOT NULL,
  merchant_id          uuid             NOT NULL,
  relationship_id      uuid             NOT NULL,
  link_id              uuid             NOT NULL,
  product_id           uuid             NOT NULL,
  variant_id           uuid,
  product_title        text             NOT NULL,
  external_invoice_id  text COLLATE "C" NOT NULL,
  quantity             integer          NOT NULL,
  amount               bigint           NOT NULL,
  discount             bigint           NOT NULL,
  tax                  bigint           NOT NULL,
  refunded             bigint           NOT NULL,
  status               text             NOT NULL,
  customer             text,                             -- masked
  sold_at              timestamptz      NOT NULL,
  commission_percent   integer          NOT NULL,        -- hundredths of a percent
  commission           bigint           NOT NULL,
  reversed             bigint           NOT NULL,
  commission_status    text             NOT NULL,
  commission_reason    text,
  commission_note      text,
  hold_until           timestamptz      NOT NULL,
  approved_at          timestamptz,
  created_at           timestamptz      NOT NULL,
  updated_at           timestamptz      NOT NULL,
  CONSTRAINT sales_pkey PRIMARY KEY (sale_id),
  CONSTRAINT sales_merchant_id_external_invoice_id_key UNIQUE (merchant_id, external_invoice_id),
  CONSTRAINT sales_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT sales_link_id_fkey FOREIGN KEY (link_id) REFERENCES links (link_id),
  CONSTRAINT sales_quantity_check CHECK (quantity >= 1),
  CONSTRAINT sales_amount_check CHECK (
    amount BETWEEN 0 AND 999999999999 AND discount >= 0 AND tax >= 0 AND discount + tax <= amount
  ),
  CONSTRAINT sales_refunded_check CHECK (refunded BETWEEN 0 AND amount - discount),
  CONSTRAINT sales_status_check CHECK (status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED')),
  CONSTRAINT sales_commission_percent_check CHECK (commission_percent BETWEEN 0 AND 10000),
  CONSTRAINT sales_commission_check CHECK (commission BETWEEN 0 AND amount),
  CONSTRAINT sales_reversed_check CHECK (reversed BETWEEN 0 AND commission),
  CONSTRAINT sales_commission_status_check
    CHECK (commission_status IN ('PENDING', 'APPROVED', 'REVERSED')),
  CONSTRAINT sales_commission_rest_check
    CHECK (commission_status <> 'REVERSED' OR reversed = commission)
);
CREATE INDEX sales_relationship_id_sale_id_idx ON sales (relationship_id, sale_id);
CREATE INDEX sales_link_id_idx ON sales (link_id);
CREATE INDEX sales_hold_until_idx ON sales (hold_until) WHERE commission_status = 'PENDING';

CREATE TABLE sale_refunds (
  merchant_id  uuid             NOT NULL,
  reference    text COLLATE "C" NOT NULL,
  sale_id      uuid             NOT NULL,
  amount       bigint           NOT NULL,
  note         text,
  created_at   timestamptz      NOT NULL,
  CONSTRAINT sale_refunds_pkey PRIMARY KEY (merchant_id, reference),
  CONSTRAINT sale_refunds_sale_id_fkey FOREIGN KEY (sale_id) REFERENCES sales (sale_id),
  CONSTRAINT sale_refunds_amount_check CHECK (amount > 0)
);

CREATE TABLE earnings (
  relationship_id  uuid   NOT NULL,
  merchant_id      uuid   NOT NULL,
  version          bigint NOT NULL,                    -- of its last entry
  pending          bigint NOT NULL,
  approved         bigint NOT NULL,
  reversed         bigint NOT NULL,
  paid_out         bigint NOT NULL,
  open_payouts     bigint NOT NULL,
  CONSTRAINT earnings_pkey PRIMARY KEY (relationship_id),
  CONSTRAINT earnings_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT earnings_sums_check CHECK (
    pending >= 0 AND approved >= 0 AND reversed >= 0 AND paid_out >= 0 AND open_payouts >= 0
  )
);

-- Every change of approved commissions less payouts, with the total after it.
CREATE TABLE earning_entries (
  relationship_id  uuid        NOT NULL,
  version          bigint      NOT NULL,
  entry_id         uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  kind             text        NOT NULL,
  amount           bigint      NOT NULL,
  total_after      bigint      NOT NULL,
  subject_id       uuid        NOT NULL,               -- the sale or the payout
  created_at       timestamptz NOT NULL,
  CONSTRAINT earning_entries_pkey PRIMARY KEY (relationship_id, version),
  CONSTRAINT earning_entries_entry_id_key UNIQUE (entry_id),
  CONSTRAINT earning_entries_kind_check CHECK (kind IN ('COMMISSION', 'REVERSAL', 'PAYOUT')),
  CONSTRAINT earning_entries_amount_check CHECK ((kind = 'COMMISSION') = (amount > 0) AND amount <> 0)
);
-- A commission is approved once, a payout paid once.
CREATE UNIQUE INDEX earning_entries_subject_id_key ON earning_entries (subject_id, kind)
  WHERE kind <> 'REVERSAL';

GRANT SELECT ON links, sales, earnings, earning_entries TO consign_read;

ALTER TABLE links ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
ALTER TABLE earnings ENABLE ROW LEVEL SECURITY;
ALTER TABLE earning_entries ENABLE ROW LEVEL SECURITY;

CREATE POLICY links_scope_policy ON links FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY sales_scope_policy ON sales FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY earnings_scope_policy ON earnings FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY earning_entries_scope_policy ON earning_entries FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
