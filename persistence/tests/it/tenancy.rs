//! The second wall: a statement that forgets its scope sees nothing of anybody else.

use std::{pin::pin, task::Poll};

use engine::ids::{MerchantId, RelationshipId};
use futures_util::future::poll_fn;
use persistence::{Database, Sizes, database::ReadScope};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use crate::stage::{Stage, at};

/// What lists are read from.
const TABLES: [&str; 32] = [
    "relationships",
    "product_access",
    "api_keys",
    "invitations",
    "audit_log",
    "balances",
    "invoices",
    "payments",
    "webhooks",
    "webhook_deliveries",
    "connections",
    "connection_calls",
    "ledger_entries",
    "refunded",
    "refunds",
    "refund_items",
    "takings",
    "debts",
    "customer_orders",
    "reveals",
    "replacements",
    "serial_claims",
    "stock_requests",
    "inventory_items",
    "listings",
    "embed_campaigns",
    "sales",
    "invoice_lines",
    "event_feeds",
    "event_spans",
    "serials",
    "imports",
];
/// What customers of a merchant have: no reader of one relationship sees any, not even of those it brought.
const OF_CUSTOMERS: [&str; 3] = ["checkout_sessions", "sold_serials", "invoice_replacements"];
/// Those of which a reader of one relationship sees the whole merchant's.
const OF_MERCHANT: usize = 2;

async fn count(connection: &mut PgConnection, table: &str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

async fn seen(stage: &Stage, scope: ReadScope) -> Vec<i64> {
    let mut connection = stage.db.scoped(scope).await.unwrap();
    let mut counts = Vec::new();
    for table in TABLES {
        counts.push(count(&mut connection, table).await);
    }
    counts
}

/// Rows in every table that lists are read from.
async fn fill(stage: &Stage) {
    let mut tx = stage.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO invitations (invitation_id, merchant_id, relationship_id, email, status,
           token_digest, valid_days, expires_at, created_at, updated_at)
         SELECT gen_random_uuid(), merchant_id, relationship_id, email, 'ACCEPTED',
           sha256(relationship_id::text::bytea), 7, now(), now(), now() FROM relationships",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO audit_log (merchant_id, seq, actor_type, actor_label, action, target,
           created_at, prev_hash, hash)
         SELECT merchant_id, 1, 'JOB', '', '', '', now(), '', '' FROM merchants",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO invoices (invoice_id, merchant_id, relationship_id, purpose, origin, status,
           amount, coin, provider, expires_at, created_at, updated_at)
         SELECT gen_random_uuid(), merchant_id, relationship_id, 'TOP_UP', 'MANUAL', 'OPEN', 1,
           'BANK', 'manual', now(), now(), now() FROM relationships",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO payments (payment_id, invoice_id, merchant_id, relationship_id, provider,
           source, amount, created_at)
         SELECT gen_random_uuid(), invoice_id, merchant_id, relationship_id, provider,
           invoice_id::text, amount, now() FROM invoices",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO webhooks (webhook_id, merchant_id, relationship_id, url, status, secret,
           told_seq, created_at, updated_at)
         SELECT gen_random_uuid(), merchant_id, relationship_id, '', 'ACTIVE', '', 0, now(), now()
         FROM relationships",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO webhook_deliveries (delivery_id, webhook_id, merchant_id, relationship_id,
           event_id, event, status, created_at, updated_at)
         SELECT gen_random_uuid(), webhook_id, merchant_id, relationship_id, gen_random_uuid(), '',
           'FAILED', now(), now() FROM webhooks",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.execute(include_str!("tenancy.sql")).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn statement_without_a_scope_sees_the_rows_of_its_readers_scope_only() {
    let stage = Stage::new().await;
    fill(&stage).await;
    let merchant = stage.cast.merchant;
    let stranger = MerchantId::generate(at(0), &*stage.random);
    assert_eq!(
        seen(&stage, ReadScope::of(stranger)).await,
        [0; TABLES.len()]
    );

    let all = seen(&stage, ReadScope::of(merchant)).await;
    let mut plain = Vec::new();
    for table in TABLES {
        plain.push(count(&mut stage.db.read().await.unwrap(), table).await);
    }
    assert_eq!(all, plain);
    assert!(all.iter().all(|rows| *rows > 0), "{all:?}");

    let own = ReadScope {
        merchant,
        relationship: Some(stage.cast.resellers[0].id),
    };
    let narrow = seen(&stage, own).await;
    assert_eq!((narrow[0], narrow[3], narrow[5]), (1, 1, 1));
    let wide = TABLES.len() - OF_MERCHANT;
    assert_eq!(
        narrow[6..wide],
        all[6..wide].iter().map(|_| 1).collect::<Vec<_>>()
    );
    assert_eq!(narrow[wide..], all[wide..]);
    assert!(narrow[1] < all[1] && narrow[2] < all[2]);
    let other = ReadScope {
        merchant,
        relationship: Some(RelationshipId::generate(at(0), &*stage.random)),
    };
    assert_eq!(seen(&stage, other).await[..4], [0; 4]);
    let foreign = ReadScope {
        merchant: stranger,
        ..own
    };
    assert_eq!(seen(&stage, foreign).await, [0; TABLES.len()]);
}

#[tokio::test]
async fn visits_and_serials_of_customers_are_their_merchants_alone() {
    let stage = Stage::new().await;
    fill(&stage).await;
    let merchant = stage.cast.merchant;
    let stranger = MerchantId::generate(at(0), &*stage.random);
    let own = ReadScope {
        merchant,
        relationship: Some(stage.cast.resellers[0].id),
    };
    for table in OF_CUSTOMERS {
        let seen = async |scope| {
            let mut connection = stage.db.scoped(scope).await.unwrap();
            count(&mut connection, table).await
        };
        let all = count(&mut stage.db.read().await.unwrap(), table).await;
        assert!(all > 1, "{table}");
        assert_eq!(seen(ReadScope::of(merchant)).await, all, "{table}");
        assert_eq!(seen(ReadScope::of(stranger)).await, 0, "{table}");
        assert_eq!(seen(own).await, 0, "{table}");
    }
}

#[tokio::test]
async fn reader_without_a_scope_sees_nothing_and_changes_nothing() {
    let stage = Stage::new().await;
    fill(&stage).await;
    let mut tx = stage.db.begin().await.unwrap();
    sqlx::query("SET LOCAL ROLE consign_read")
        .execute(&mut *tx)
        .await
        .unwrap();
    for table in TABLES.into_iter().chain(OF_CUSTOMERS) {
        assert_eq!(count(&mut tx, table).await, 0, "{table}");
    }
    let written = sqlx::query("UPDATE relationships SET name = 'x'")
        .execute(&mut *tx)
        .await;
    assert!(written.is_err());
}

#[tokio::test]
async fn whatever_the_reader_may_read_has_a_policy() {
    let stage = Stage::new().await;
    let open = stage
        .count(
            "SELECT COUNT(*) FROM pg_class AS c
             WHERE c.relkind IN ('r', 'v', 'm') AND c.relnamespace = 'public'::regnamespace
               AND has_table_privilege('consign_read', c.oid, 'SELECT')
               AND NOT (c.relrowsecurity
                 AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid))",
        )
        .await;
    assert_eq!(open, 0);
    let readable = stage
        .count(
            "SELECT COUNT(*) FROM pg_class AS c WHERE c.relkind = 'r'
               AND c.relnamespace = 'public'::regnamespace
               AND has_table_privilege('consign_read', c.oid, 'SELECT')",
        )
        .await;
    assert!(readable >= 20, "{readable}");
}

#[tokio::test]
async fn read_that_is_dropped_at_any_moment_leaves_no_scope_behind() {
    let stage = Stage::new().await;
    // One connection: whoever reads next gets the one that was dropped.
    let sizes = Sizes {
        reports_max: 1,
        ..Sizes::default()
    };
    let options = stage.db.connect_options();
    let db = Database::connect(options, sizes).await.unwrap();
    let scope = ReadScope::of(stage.cast.merchant);
    let (mut polls, mut ended) = (0, false);
    while !ended {
        {
            let mut read = pin!(async {
                let mut connection = db.scoped(scope).await.unwrap();
                count(&mut connection, "relationships").await
            });
            let mut left = polls;
            ended = poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                read.as_mut().poll(cx).map(|_| true)
            })
            .await;
        }
        let mut next = db.report().await.unwrap();
        let left: (String, String, String) = sqlx::query_as(
            "SELECT current_setting('role'), COALESCE(current_setting('consign.merchant', true), ''),
               COALESCE(current_setting('consign.relationship', true), '')",
        )
        .fetch_one(&mut *next)
        .await
        .unwrap();
        let (role, merchant, relationship) = left;
        assert_eq!(
            (&role[..], &merchant[..], &relationship[..]),
            ("none", "", "")
        );
        polls += 1;
        assert!(polls < 1000, "the read never ends");
    }
    assert!(polls > 1, "it was dropped half-way");
}
