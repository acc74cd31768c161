-- One row of each kind for every live balance, and an event in every feed.
INSERT INTO ledger_entries (balance_id, version, kind, id, amount, balance_after, created_at, reference)
  SELECT balance_id, 1, 3, gen_random_uuid(), 1, 1, now(), 'welcome' FROM balances WHERE NOT test;
INSERT INTO refunded (balance_id, version, cost, refunded)
  SELECT balance_id, 1, 1, 1 FROM balances WHERE NOT test;
INSERT INTO refunds (balance_id, reference, merchant_id, version, amount, description, created_at)
  SELECT balance_id, 'r', merchant_id, 1, 1, '', now() FROM balances WHERE NOT test;
INSERT INTO refund_items (serial_id, balance_id, reference)
  SELECT gen_random_uuid(), balance_id, 'r' FROM balances WHERE NOT test;
INSERT INTO serial_claims (serial_id, kind, line, unit_price, price_version, balance_id, version)
  SELECT gen_random_uuid(), 1, 0, 0, 0, balance_id, 1 FROM balances WHERE NOT test;
INSERT INTO reveals (serial_id, merchant_id, balance_id, revealed_at, created_at)
  SELECT gen_random_uuid(), merchant_id, balance_id, now(), now() FROM balances WHERE NOT test;
INSERT INTO replacements (replacement_id, merchant_id, relationship_id, balance_id, test, entry_id,
    order_id, serial_id, product_id, unit_price, reason, status, attempted_at, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, balance_id, false, gen_random_uuid(), '',
    gen_random_uuid(), gen_random_uuid(), 0, 'OTHER', 'REQUESTED', now(), now(), now()
  FROM balances WHERE NOT test;
INSERT INTO stock_requests (stock_request_id, merchant_id, relationship_id, balance_id, product_id,
    quantity, unit_price, price_version, requested_by, status, expires_at, attempted_at, created_at,
    updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, balance_id, gen_random_uuid(), 1, 1, 1,
    'RESELLER', 'REQUESTED', now(), now(), now(), now()
  FROM balances WHERE NOT test;
INSERT INTO inventory_items (serial_id, stock_request_id, merchant_id, relationship_id, status,
    created_at, updated_at)
  SELECT gen_random_uuid(), stock_request_id, merchant_id, relationship_id, 'AVAILABLE', now(), now()
  FROM stock_requests;
INSERT INTO connections (connection_id, merchant_id, relationship_id, name, kind, status, secret,
    product_map, daily_spend_cap, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, '', 'SELLAUTH', 'ACTIVE', '', '[]', 0, now(), now()
  FROM relationships;
INSERT INTO connection_calls (connection_id, merchant_id, relationship_id, outcome, took_ms, created_at)
  SELECT connection_id, merchant_id, relationship_id, 'REFUSED', 0, now() FROM connections;
INSERT INTO event_feeds (merchant_id, relationship_id, test, seq)
  SELECT merchant_id, relationship_id, false, 1 FROM balances WHERE NOT test
  UNION ALL SELECT merchant_id, NULL, false, 1 FROM merchants;
INSERT INTO event_spans (feed_id, first_seq, last_seq, made_at, event_id, fact, occurred_at)
  SELECT feed_id, 1, 1, now(), gen_random_uuid(), '{}', now() FROM event_feeds;
INSERT INTO takings (balance_id, kind, reference, merchant_id, relationship_id, invoice_id, amount,
    created_at)
  SELECT b.balance_id, 6, 'r', i.merchant_id, i.relationship_id, i.invoice_id, 1, now()
  FROM invoices AS i JOIN balances AS b ON b.relationship_id = i.relationship_id AND NOT b.test;
INSERT INTO debts (relationship_id, merchant_id, amount, suspended)
  SELECT relationship_id, merchant_id, 0, false FROM relationships;
INSERT INTO customer_orders (merchant_id, digest, balance_id, version)
  SELECT merchant_id, '', balance_id, 1 FROM balances WHERE NOT test;
INSERT INTO listings (listing_id, merchant_id, relationship_id, product_id, price, status, paused, reviewed_at,
    created_at, updated_at)
  SELECT gen_random_uuid(), r.merchant_id, r.relationship_id, p.product_id, 1, 'ACTIVE', false, now(), now(), now()
  FROM relationships AS r CROSS JOIN LATERAL (
    SELECT product_id FROM products WHERE products.merchant_id = r.merchant_id LIMIT 1) AS p;
INSERT INTO links (link_id, merchant_id, relationship_id, kind, name, status, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, 'CAMPAIGN', '', 'ACTIVE', now(), now()
  FROM relationships;
INSERT INTO embed_campaigns (campaign_id, merchant_id, relationship_id, name, status, product_ids, variant_ids,
    origins, token_version, created_at, updated_at)
  SELECT link_id, merchant_id, relationship_id, '', 'ACTIVE', '{}', '{}', '{}', 1, now(), now()
  FROM links WHERE kind = 'CAMPAIGN';
INSERT INTO sales (sale_id, merchant_id, relationship_id, link_id, product_id, product_title,
    external_invoice_id, quantity, amount, discount, tax, refunded, status, sold_at, commission_percent,
    commission, reversed, commission_status, hold_until, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, relationship_id, gen_random_uuid(), '',
    relationship_id::text, 1, 1, 0, 0, 0, 'PAID', now(), 0, 0, 0, 'PENDING', now(), now(), now()
  FROM relationships;
INSERT INTO invoice_lines (line_id, invoice_id, merchant_id, relationship_id, product_id, title, kind, quantity,
    unit_price, custom_fields, link_id, commission_percent, hold_days, self_purchase)
  SELECT gen_random_uuid(), invoice_id, merchant_id, relationship_id, gen_random_uuid(), '', 'SERIALS', 1, 1, '{}',
    relationship_id, 0, 0, false
  FROM invoices;
INSERT INTO checkout_sessions (session_id, merchant_id, token_digest, product_id, quantity, unit_price, link_id,
    clicked_at, expires_at, created_at)
  SELECT gen_random_uuid(), merchant_id, sha256(relationship_id::text::bytea), gen_random_uuid(), 1, 1,
    relationship_id, now(), now(), now()
  FROM relationships;
INSERT INTO sold_serials (serial_id, invoice_id, merchant_id, place, created_at)
  SELECT gen_random_uuid(), invoice_id, merchant_id, 1, now() FROM invoices;
INSERT INTO invoice_replacements (replacement_id, merchant_id, invoice_id, product_id, serial_ids, attempted_at,
    created_at)
  SELECT gen_random_uuid(), merchant_id, invoice_id, gen_random_uuid(), ARRAY[gen_random_uuid()], now(), now()
  FROM invoices;
