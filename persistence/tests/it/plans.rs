//! No hot statement reads a whole hot table, under the plan that fits any argument.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::ground::Ground;

const HOT: [&str; 9] = [
    "reservations",
    "withdrawals",
    "purchase_days",
    "lanes",
    "batches",
    "ledger_entries",
    "serial_claims",
    "serials",
    "imports",
];

/// Statements of a lane's connections, with the number of their parameters.
const LANES: [(&str, &str, usize); 10] = [
    (
        "commit_fulfillments",
        include_str!("../../src/journal/commit_fulfillments.sql"),
        22,
    ),
    (
        "commit_credits",
        include_str!("../../src/journal/commit_credits.sql"),
        14,
    ),
    (
        "commit_restocks",
        include_str!("../../src/journal/commit_restocks.sql"),
        5,
    ),
    (
        "commit_withdrawals",
        include_str!("../../src/journal/commit_withdrawals.sql"),
        13,
    ),
    (
        "existing_withdrawals",
        include_str!("../../src/journal/existing_withdrawals.sql"),
        1,
    ),
    (
        "existing_references",
        include_str!("../../src/journal/existing_references.sql"),
        3,
    ),
    (
        "existing_numbers",
        include_str!("../../src/journal/existing_numbers.sql"),
        1,
    ),
    ("fence", include_str!("../../src/journal/fence.sql"), 2),
    ("find", include_str!("../../src/fulfillments/find.sql"), 2),
    (
        "serials",
        include_str!("../../src/fulfillments/serials.sql"),
        2,
    ),
];

/// Statements of the sources, likewise.
const SOURCES: [(&str, &str, usize); 18] = [
    (
        "reserved",
        include_str!("../../src/inventory/reserved.sql"),
        2,
    ),
    (
        "list_customer",
        include_str!("../../src/fulfillments/list_customer.sql"),
        9,
    ),
    (
        "customers",
        include_str!("../../src/fulfillments/customers.sql"),
        3,
    ),
    (
        "list_refunded",
        include_str!("../../src/fulfillments/list_refunded.sql"),
        7,
    ),
    (
        "events_batches",
        include_str!("../../src/events/batches.sql"),
        4,
    ),
    (
        "events_number",
        include_str!("../../src/events/number.sql"),
        3,
    ),
    (
        "events_behind",
        include_str!("../../src/events/behind.sql"),
        2,
    ),
    ("events_list", include_str!("../../src/events/list.sql"), 3),
    (
        "events_lines",
        include_str!("../../src/events/lines.sql"),
        2,
    ),
    ("ledger_end", include_str!("../../src/balances/end.sql"), 1),
    (
        "spending",
        include_str!("../../src/balances/spending.sql"),
        4,
    ),
    ("sum_up", include_str!("../../src/balances/sum_up.sql"), 3),
    (
        "unclaimed",
        include_str!("../../src/inventory/unclaimed.sql"),
        3,
    ),
    ("count", include_str!("../../src/inventory/count.sql"), 5),
    (
        "count_to",
        include_str!("../../src/inventory/count_to.sql"),
        3,
    ),
    (
        "standing",
        include_str!("../../src/inventory/standing.sql"),
        2,
    ),
    ("lines", include_str!("../../src/verifier/lines.sql"), 3),
    ("claimed", include_str!("../../src/verifier/claimed.sql"), 1),
];

/// Rows enough that the planner knows what reading all of them costs.
const ROWS: &str = "
INSERT INTO lanes (lane, shard) SELECT n, 0 FROM generate_series(0, 63) AS n;
INSERT INTO batches SELECT 0, n, 1, '{1}', ARRAY[n], now() FROM generate_series(1, 20000) AS n;
INSERT INTO ledger_entries (balance_id, version, kind, reference, id, amount, balance_after,
                            created_at, channel, key_id, fingerprint, serial_ids)
  SELECT b, n, 1, 'order-' || n, gen_random_uuid(), -1, 1, now(), 1, gen_random_uuid(), '', '{}'
  FROM generate_series(1, 20) AS b, generate_series(1, 1000) AS n;
INSERT INTO purchase_days SELECT b, '2026-01-01'::date + n, gen_random_uuid(), 1
  FROM generate_series(1, 20) AS b, generate_series(1, 1000) AS n;
INSERT INTO purchase_sums SELECT b, 1000, 1000, 1000, now() FROM generate_series(1, 20) AS b;
INSERT INTO refunded SELECT b, n, 1, 1
  FROM generate_series(1, 20) AS b, generate_series(1, 100) AS n;
INSERT INTO imports (import_id, merchant_id, product_id, number, serials)
  SELECT (lpad(to_hex(n), 24, '0') || '00000000')::uuid, merchant_id, product_id, n, 10
  FROM products, generate_series(1, 4000) AS n;
INSERT INTO serials (serial_id, merchant_id, fingerprint, sealed)
  SELECT (lpad(to_hex(n), 24, '0') || lpad(to_hex(k), 8, '0'))::uuid, merchant_id,
         uuid_send(gen_random_uuid()), '\\x00'
  FROM merchants, generate_series(1, 4000) AS n, generate_series(0, 9) AS k;
INSERT INTO replacements (replacement_id, merchant_id, relationship_id, balance_id, test, entry_id,
                          order_id, serial_id, product_id, unit_price, reason, status,
                          attempted_at, created_at, updated_at)
  SELECT gen_random_uuid(), r.merchant_id, r.relationship_id, 1, false, gen_random_uuid(), 'x',
         gen_random_uuid(), gen_random_uuid(), 1, 'USED', 'REQUESTED', now(), now(), now()
  FROM (SELECT merchant_id, relationship_id FROM relationships LIMIT 1) AS r,
       generate_series(1, 4000);
INSERT INTO withdrawals SELECT gen_random_uuid(), merchant_id, product_id, NULL, 3,
         ARRAY[gen_random_uuid()], now()
  FROM products, generate_series(1, 4000);
INSERT INTO reservations SELECT withdrawal_id, merchant_id, product_id, NULL, 1, now(), now(),
         'REDEEMED'
  FROM withdrawals;
INSERT INTO reservations SELECT gen_random_uuid(), merchant_id, product_id, NULL, 1, now()
  FROM products, generate_series(1, 20);
INSERT INTO serial_claims SELECT serial_id, 1, 1, 1, 1, 1, 1 FROM serials
  WHERE get_byte(uuid_send(serial_id), 15) < 7;
ANALYZE;
SET plan_cache_mode = force_generic_plan;
SET jit = off";

/// The plan of a prepared statement, as text.
async fn plan(connection: &mut PgConnection, name: &str, sql: &str, parameters: usize) -> String {
    let prepare = format!("PREPARE {name} AS {sql}");
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *connection)
        .await
        .unwrap();
    let nulls = vec!["NULL"; parameters].join(", ");
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE {name} ({nulls})");
    let rows = sqlx::raw_sql(AssertSqlSafe(explain))
        .fetch_all(connection)
        .await
        .unwrap();
    rows.iter().fold(String::new(), |mut plan, row| {
        let line: String = row.get(0);
        writeln!(plan, "{line}").unwrap();
        plan
    })
}

#[tokio::test]
async fn no_hot_statement_reads_a_whole_table() {
    let ground = Ground::new().await;
    let mut connection = ground.connect().await;
    sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
    for statement in SOURCES {
        check(&mut connection, statement).await;
    }
    // As a lane's session has it.
    sqlx::raw_sql("SET enable_seqscan = off")
        .execute(&mut connection)
        .await
        .unwrap();
    for statement in LANES {
        check(&mut connection, statement).await;
    }
}

/// Statements that look for claims which no order has, likewise.
const RECONCILED: [(&str, &str, usize); 2] = [
    (
        "reconciled_imports",
        include_str!("../../src/reconciliation/imports.sql"),
        3,
    ),
    (
        "reconciled_claims",
        include_str!("../../src/reconciliation/claims.sql"),
        3,
    ),
];

/// The imports are of many products.
const PRODUCTS: &str = "
INSERT INTO products (product_id, merchant_id, title, kind, base_price)
  SELECT gen_random_uuid(), merchant_id, 'Key ' || n, 'SERIALS', 500
  FROM merchants, generate_series(1, 199) AS n;
UPDATE imports SET product_id = p.product_id
  FROM (SELECT product_id, ROW_NUMBER() OVER (ORDER BY product_id) AS place FROM products) AS p
  WHERE p.place = 1 + number % 200;
ANALYZE";

#[tokio::test]
async fn no_part_of_reconciliation_reads_a_whole_table() {
    let ground = Ground::new().await;
    let mut connection = ground.connect().await;
    for rows in [ROWS, PRODUCTS] {
        sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    }
    for statement in RECONCILED {
        check(&mut connection, statement).await;
    }
}

/// What resellers sell with, and what came of it, with the number of parameters.
const SELLING: [(&str, &str, usize); 3] = [
    ("links_list", include_str!("../../src/links/list.sql"), 5),
    (
        "campaigns_list",
        include_str!("../../src/campaigns/list.sql"),
        5,
    ),
    (
        "reconciled_earnings",
        include_str!("../../src/reconciliation/earnings.sql"),
        1,
    ),
];

/// Many resellers, each with a page of links, of campaigns, and some sales of each.
const RESELLERS: &str = "
INSERT INTO relationships (relationship_id, merchant_id, code, email, name, status, mode)
  SELECT gen_random_uuid(), merchant_id, 'reseller-' || n, 'mail-' || n, '', 'ACTIVE', 'BOTH'
  FROM merchants, generate_series(1, 400) AS n;
INSERT INTO links (link_id, merchant_id, relationship_id, kind, name, code, status, created_at,
                   updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, kind, '',
         CASE kind WHEN 'LINK' THEN code || '-' || n END, 'ACTIVE', now(), now()
  FROM relationships, generate_series(1, 10) AS n, UNNEST(ARRAY['LINK', 'CAMPAIGN']) AS kind;
INSERT INTO embed_campaigns (campaign_id, merchant_id, relationship_id, name, status, product_ids,
                             variant_ids, origins, token_version, created_at, updated_at)
  SELECT link_id, merchant_id, relationship_id, '', 'ACTIVE', '{}', '{}', '{}', 1, now(), now()
  FROM links WHERE kind = 'CAMPAIGN';
INSERT INTO sales (sale_id, merchant_id, relationship_id, link_id, product_id, product_title,
                   external_invoice_id, quantity, amount, discount, tax, refunded, status, sold_at,
                   commission_percent, commission, reversed, commission_status, hold_until,
                   created_at, updated_at)
  SELECT gen_random_uuid(), merchant_id, relationship_id, link_id, gen_random_uuid(), '',
         link_id || '-' || n, 1, 1, 0, 0, 0, 'PAID', now(), 0, 0, 0, 'PENDING', now(), now(), now()
  FROM links, generate_series(1, 5) AS n;
ANALYZE;
SET plan_cache_mode = force_generic_plan";

#[tokio::test]
async fn no_list_of_what_resellers_sell_with_reads_the_rows_of_others() {
    let ground = Ground::new().await;
    let mut connection = ground.connect().await;
    sqlx::raw_sql(RESELLERS)
        .execute(&mut connection)
        .await
        .unwrap();
    for (name, sql, parameters) in SELLING {
        let plan = plan(&mut connection, name, sql, parameters).await;
        for table in ["links", "embed_campaigns", "sales", "relationships"] {
            assert!(
                !plan.contains(&format!("Seq Scan on {table}")),
                "{name}:\n{plan}"
            );
        }
    }
}

/// The plans above are those that sources run under: a plan for given values loops over all claims of
/// an import, because the planner takes a range of uuids for a single row.
#[tokio::test]
async fn pooled_connections_plan_a_statement_once() {
    let ground = Ground::new().await;
    let mut pooled = ground.db.read().await.unwrap();
    let mode: String = sqlx::query_scalar("SHOW plan_cache_mode")
        .fetch_one(&mut *pooled)
        .await
        .unwrap();
    assert_eq!(mode, "force_generic_plan");
}

async fn check(connection: &mut PgConnection, (name, sql, parameters): (&str, &str, usize)) {
    let plan = plan(connection, name, sql, parameters).await;
    for table in HOT {
        assert!(
            !plan.contains(&format!("Seq Scan on {table}")),
            "{name}:\n{plan}"
        );
    }
    // A range of a primary key is read from its start, never from the start of the table.
    let lines: Vec<_> = plan.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        // This one holds nothing but the few imports that wait for their number.
        let waiting = line.contains("imports_unnumbered_idx");
        if line.contains("Index") && line.contains("Scan using") && !waiting {
            let next = lines.get(at + 1).copied().unwrap_or_default();
            assert!(
                next.contains("Index Cond"),
                "{name} reads a whole index:\n{plan}"
            );
        }
    }
}
