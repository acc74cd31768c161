//! No list reads a whole table: counted by the server itself, over the functions that the edge calls, in tables of
//! many resellers and two merchants.

use std::{collections::BTreeMap, fmt::Write as _};

use engine::{
    ids::{ProductId, StockRequestId},
    relationships::RelationshipScope,
    stock_requests::ItemStatus,
};
use persistence::{
    Database, Sizes, campaigns, links, listings, page::PageNumber, payouts, relationships,
    replacements, sales, stock_requests, top_ups,
};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::ground::{Ground, at};

/// Tables of which a list has to find its own rows.
const TABLES: [&str; 11] = [
    "relationships",
    "product_access",
    "links",
    "embed_campaigns",
    "listings",
    "sales",
    "payouts",
    "stock_requests",
    "inventory_items",
    "invoices",
    "payments",
];

/// Another merchant with more resellers than the one that reads, and some rows of each of them.
const ROWS: &str = "
INSERT INTO merchants (merchant_id, bucket, name, currency, data_key)
  VALUES (gen_random_uuid(), 0, 'Others', 'USD', '');
INSERT INTO programs (merchant_id, enabled)
  SELECT merchant_id, true FROM merchants WHERE name = 'Others';
INSERT INTO products (product_id, merchant_id, title, kind, base_price)
  SELECT gen_random_uuid(), merchant_id, 'Key', 'SERIALS', 500 FROM merchants WHERE name = 'Others';
INSERT INTO relationships (relationship_id, merchant_id, code, email, name, status, mode)
  SELECT gen_random_uuid(), merchant_id, lower(m.name) || '-' || n, 'mail-' || n, '', 'ACTIVE', 'BOTH'
  FROM merchants AS m,
    generate_series(1, CASE m.name WHEN 'Others' THEN 500 ELSE 50 END) AS n;
INSERT INTO balances (relationship_id, merchant_id, test)
  SELECT relationship_id, merchant_id, false FROM relationships
  ON CONFLICT DO NOTHING;
INSERT INTO product_access (relationship_id, merchant_id, product_id)
  SELECT relationship_id, merchant_id, product_id FROM relationships JOIN products USING (merchant_id);
INSERT INTO links (link_id, merchant_id, relationship_id, kind, name, code, status, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, kind, '',
         CASE kind WHEN 'LINK' THEN code || '-' || n END, 'ACTIVE', now(), now()
  FROM relationships, generate_series(1, 10) AS n, UNNEST(ARRAY['LINK', 'CAMPAIGN']) AS kind;
INSERT INTO embed_campaigns (campaign_id, merchant_id, relationship_id, name, status, product_ids,
                             variant_ids, origins, token_version, created_at, updated_at)
  SELECT link_id, merchant_id, relationship_id, '', 'ACTIVE', '{}', '{}', '{}', 1, now(), now()
  FROM links WHERE kind = 'CAMPAIGN';
INSERT INTO listings (listing_id, merchant_id, relationship_id, product_id, price, status, paused,
                      reviewed_at, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, product_id, 900, 'ARCHIVED', false, now(),
         now(), now()
  FROM relationships JOIN products USING (merchant_id), generate_series(1, 10);
INSERT INTO sales (sale_id, merchant_id, relationship_id, link_id, product_id, product_title,
                   external_invoice_id, quantity, amount, discount, tax, refunded, status, sold_at,
                   commission_percent, commission, reversed, commission_status, hold_until,
                   created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, link_id, gen_random_uuid(), '',
         link_id || '-' || n, 1, 1, 0, 0, 0, 'PAID', now(), 0, 0, 0, 'PENDING', now(), now(), now()
  FROM links, generate_series(1, 5) AS n;
INSERT INTO payouts (payout_id, merchant_id, relationship_id, request_id, amount, asset, network, chain,
                     address, status, approvable_at, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, gen_random_uuid(), 1, 'EUR', 'SEPA', 'SEPA',
         'x', 'PENDING', now(), now(), now()
  FROM relationships, generate_series(1, 20);
INSERT INTO stock_requests (stock_request_id, merchant_id, relationship_id, balance_id, product_id,
    quantity, unit_price, price_version, requested_by, status, expires_at, attempted_at, created_at,
    updated_at)
  SELECT gen_random_uuid(), r.merchant_id, r.relationship_id, b.balance_id, p.product_id, 1, 1, 1,
         'RESELLER', 'REQUESTED', now(), now(), now(), now()
  FROM relationships AS r JOIN balances AS b ON b.relationship_id = r.relationship_id AND NOT b.test
  JOIN products AS p ON p.merchant_id = r.merchant_id, generate_series(1, 20);
INSERT INTO inventory_items (serial_id, stock_request_id, merchant_id, relationship_id, status,
    created_at, updated_at)
  SELECT (LEFT(stock_request_id::text, 28) || LPAD(TO_HEX(n), 8, '0'))::uuid, stock_request_id,
         merchant_id, relationship_id, 'AVAILABLE', now(), now()
  FROM stock_requests, generate_series(1, 3) AS n;
INSERT INTO imports (import_id, merchant_id, product_id, serials)
  SELECT (LEFT(stock_request_id::text, 28) || '00000000')::uuid, merchant_id, product_id, 3
  FROM stock_requests;
INSERT INTO serials (serial_id, merchant_id, fingerprint, sealed)
  SELECT serial_id, merchant_id, uuid_send(gen_random_uuid()), '\\x00' FROM inventory_items;
INSERT INTO invoices (invoice_id, merchant_id, relationship_id, purpose, origin, status, amount, coin,
    provider, expires_at, created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, 'TOP_UP', 'MANUAL', 'CANCELLED', 1, 'BANK',
         'manual', now(), now(), now()
  FROM relationships, generate_series(1, 20);
INSERT INTO payments (payment_id, invoice_id, merchant_id, relationship_id, provider, source, amount,
    created_at)
  SELECT gen_random_uuid(), invoice_id, merchant_id, relationship_id, provider, invoice_id::text, amount,
         now() FROM invoices;
ANALYZE";

const FIRST: PageNumber = PageNumber { page: 1, limit: 50 };

/// Where the rows are, and who reads them.
struct Lists {
    ground: Ground,
    /// Every list has the same connection, so what it did is known once it was asked.
    db: Database,
    seen: PgConnection,
    scope: RelationshipScope,
}

impl Lists {
    async fn new() -> Self {
        let ground = Ground::new().await;
        let mut seen = ground.connect().await;
        sqlx::raw_sql(ROWS).execute(&mut seen).await.unwrap();
        let sizes = Sizes {
            reads_max: 1,
            reports_max: 1,
            ..Sizes::default()
        };
        let options = ground.db.connect_options();
        let db = Database::connect(options, sizes).await.unwrap();
        let scope = RelationshipScope {
            merchant: ground.merchant,
            relationship: ground.relationship,
            balance: ground.balances[0],
            test: false,
        };
        Self {
            ground,
            db,
            seen,
            scope,
        }
    }

    /// How often each table was read as a whole.
    async fn scans(&mut self) -> BTreeMap<String, i64> {
        for connection in [self.db.read().await, self.db.report().await] {
            let mut connection = connection.unwrap();
            sqlx::raw_sql("SELECT pg_stat_force_next_flush()")
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        let mut names = String::new();
        for table in TABLES {
            write!(names, "'{table}',").unwrap();
        }
        let names = names.trim_end_matches(',');
        let sql = format!(
            "SELECT relname::text, seq_scan FROM pg_stat_user_tables WHERE relname IN ({names})"
        );
        let found: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_all(&mut self.seen)
            .await
            .unwrap();
        assert_eq!(found.len(), TABLES.len());
        found.into_iter().collect()
    }

    /// Runs a list, which finds so many rows, and reads no table as a whole.
    async fn check(&mut self, name: &str, rows: usize, list: impl AsyncFnOnce(&Self) -> usize) {
        let before = self.scans().await;
        assert_eq!(list(self).await, rows, "{name}");
        let after = self.scans().await;
        let read = after
            .iter()
            .filter(|(table, scans)| before[*table] != **scans);
        let read: Vec<_> = read.map(|(table, _)| table).collect();
        assert!(read.is_empty(), "{name} reads all of {read:?}");
    }
}

#[tokio::test]
async fn lists_of_one_reseller_read_no_table_as_a_whole() {
    let mut lists = Lists::new().await;
    let of = (lists.ground.merchant, lists.ground.relationship);
    lists
        .check("links", 10, async |it: &Lists| {
            links::list(&it.db, of, None, 50).await.unwrap().items.len()
        })
        .await;
    lists
        .check("campaigns", 10, async |it: &Lists| {
            let page = campaigns::list(&it.db, of, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("listings", 10, async |it: &Lists| {
            let page = listings::list(&it.db, of, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("payouts", 20, async |it: &Lists| {
            let page = payouts::list(&it.db, of, payouts::Filter::default(), None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("payouts by page", 20, async |it: &Lists| {
            let all = payouts::Filter::default();
            let page = payouts::list_numbered(&it.db, of, all, FIRST).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("sales", 50, async |it: &Lists| {
            let all = sales::list::Filter::default();
            let page = sales::list::list(&it.db, of, all, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("sales of one product", 0, async |it: &Lists| {
            let filter = sales::list::Filter {
                product: Some(ProductId::from_uuid(Uuid::nil())),
                from: Some(at(0)),
                ..sales::list::Filter::default()
            };
            let page = sales::list::list_numbered(&it.db, of, filter, FIRST).await;
            page.unwrap().items.len()
        })
        .await;
}

#[tokio::test]
async fn lists_of_purchases_and_inventories_read_no_table_as_a_whole() {
    let mut lists = Lists::new().await;
    let scope = lists.scope;
    lists
        .check("requests", 20, async |it: &Lists| {
            let all = (stock_requests::Filter::default(), at(0));
            let page = stock_requests::list(&it.db, scope, all, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("requests by page", 0, async |it: &Lists| {
            let paid = stock_requests::Filter {
                statuses: vec!["PAID"],
            };
            let page = stock_requests::numbered(&it.db, scope, (paid, at(0)), FIRST).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("items", 50, async |it: &Lists| {
            let all = stock_requests::ItemFilter::default();
            let page = stock_requests::items(&it.db, scope, all, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    for (name, filter) in [
        (
            "items of a product",
            stock_requests::ItemFilter {
                product: Some(ProductId::from_uuid(Uuid::nil())),
                ..stock_requests::ItemFilter::default()
            },
        ),
        (
            "items of a request",
            stock_requests::ItemFilter {
                request: Some(StockRequestId::from_uuid(Uuid::nil())),
                ..stock_requests::ItemFilter::default()
            },
        ),
        (
            "items of a customer",
            stock_requests::ItemFilter {
                statuses: vec![ItemStatus::Delivered],
                email: Some([1; 16]),
                ..stock_requests::ItemFilter::default()
            },
        ),
    ] {
        lists
            .check(name, 0, async |it: &Lists| {
                let page = stock_requests::numbered_items(&it.db, scope, filter, FIRST).await;
                page.unwrap().items.len()
            })
            .await;
    }
    lists
        .check("summary", 1, async |it: &Lists| {
            stock_requests::summary(&it.db, scope).await.unwrap().len()
        })
        .await;
    lists
        .check("top-ups", 20, async |it: &Lists| {
            let all = (top_ups::Filter::default(), at(0));
            let page = top_ups::list(&it.db, scope, all, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
}

#[tokio::test]
async fn lists_of_one_merchant_read_no_table_as_a_whole() {
    let mut lists = Lists::new().await;
    let merchant = lists.ground.merchant;
    lists
        .check("invoices", 50, async |it: &Lists| {
            let all = (top_ups::Filter::default(), at(0));
            let page = top_ups::list_all(&it.db, merchant, all, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("invoices by page", 50, async |it: &Lists| {
            let all = (top_ups::Filter::default(), at(0));
            let page = top_ups::list_all_numbered(&it.db, merchant, all, FIRST).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("resellers", 50, async |it: &Lists| {
            let all = relationships::list::Filter::default();
            let page = relationships::list::list(&it.db, merchant, all, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
    lists
        .check("replacements", 0, async |it: &Lists| {
            let all = replacements::list::Filter::default();
            let page = replacements::list::list(&it.db, merchant, all, None, 50).await;
            page.unwrap().items.len()
        })
        .await;
}
