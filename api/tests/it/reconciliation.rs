//! The report that says whether everything adds up: in parts, by day, and by the ids of what does not.

use engine::persons::Role;
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

const CODE: &str = "demo-both";

impl World {
    async fn reconciled(&self, query: &str) -> Reply {
        let path = format!("/dev/v1/reports/reconciliation{query}");
        let call = self.call("GET", &path).key(&self.merchant_key());
        call.send().await
    }

    async fn mismatches(&self) -> Vec<Value> {
        let found = self.reconciled("").await.data(200);
        found.as_array().unwrap().clone()
    }
}

#[test]
fn what_was_sold_refunded_and_paid_out_adds_up() {
    with_world(async |world| {
        let order = order_of("WOO-1", world.product("Antivirus"));
        let sold = world.order(&world.key(CODE), &order).await.data(201);
        world.buy_stock(CODE, "Antivirus", 3).await.data(201);
        let refund = format!("fulfillments/{}/refund", sold["id"].as_str().unwrap());
        let refund = world.dev_of(CODE, "POST", &refund);
        refund
            .json(&json!({"refund_ref": "R-1"}))
            .send()
            .await
            .data(200);
        let whole = world.reconciled("").await;
        assert_eq!(whole.data(200), json!([]));
        let whole = whole.json();
        assert_eq!(
            whole["pagination"],
            json!({"next_cursor": null, "has_more": false})
        );
        let resellers = world.cast.resellers.len();
        let checked = &whole["checked"];
        assert_eq!(checked["relationships"], resellers);
        let entries = world.scalar(
            "SELECT COUNT(*) FROM ledger_entries JOIN balances USING (balance_id) WHERE NOT test",
        );
        assert_eq!(checked["ledger_entries"].to_string(), entries);
        assert_eq!(
            (
                &checked["deliveries"],
                &checked["serials"],
                &checked["claims"]
            ),
            (&json!(2), &json!(4), &json!(4))
        );

        let day = world
            .scalar("SELECT to_char(now() AT TIME ZONE 'UTC' - interval '40 days', 'YYYY-MM-DD')");
        let before = world.reconciled(&format!("?date={day}")).await;
        assert_eq!(before.data(200), json!([]));
        assert_eq!(before.json()["checked"]["ledger_entries"], 0);
        for wrong in ["?date=today", "?date=2025-13-01", "?cursor=x"] {
            let refused = world.reconciled(wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
    });
}

#[test]
fn what_was_changed_behind_everybodys_back_is_named() {
    with_world(async |world| {
        let reseller = world.reseller(CODE).id;
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key(CODE), &order).await.data(201);
        assert_eq!(world.mismatches().await, Vec::<Value>::new());
        let of = format!("relationship_id = '{}'", reseller.uuid());
        let last = world.scalar(&format!(
            "SELECT MAX(version) FROM ledger_entries JOIN balances USING (balance_id)
             WHERE {of} AND NOT test"
        ));
        world.sql(
            "UPDATE serial_claims SET unit_price = unit_price + 1
             WHERE serial_id IN (SELECT UNNEST(serial_ids) FROM ledger_entries
               WHERE reference = 'WOO-1')",
        );
        let last: i64 = last.parse().unwrap();
        let found = world.mismatches().await;
        assert_eq!(
            found,
            [
                json!({"relationship_id": reseller.to_string(), "ledger_version": last,
                "serial_id": null, "check": "CLAIMS"})
            ]
        );
        world.sql(&format!(
            "INSERT INTO earnings (relationship_id, merchant_id, version, pending, approved, reversed,
               paid_out, open_payouts)
             SELECT relationship_id, merchant_id, 0, 0, 100, 0, 0, 0 FROM relationships WHERE {of}
             ON CONFLICT (relationship_id) DO UPDATE SET approved = earnings.approved + 100"
        ));
        let found = world.mismatches().await;
        let checks: Vec<_> = found.iter().map(|one| &one["check"]).collect();
        assert_eq!(checks, ["CLAIMS", "APPROVED"]);
        assert_eq!(found[1]["ledger_version"], Value::Null);
    });
}

#[test]
fn serial_that_is_claimed_for_an_order_nobody_has_is_named() {
    with_world(async |world| {
        let reseller = world.reseller(CODE).id;
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key(CODE), &order).await.data(201);
        let claim = async |balance: &str| {
            let claim = format!(
                "INSERT INTO serial_claims
                   (serial_id, kind, line, unit_price, price_version, balance_id, version)
                 SELECT s.serial_id, 1, 1, 100, 1, ({balance}), 1 FROM serials AS s
                 JOIN imports AS i ON NOT i.test
                   AND i.import_id = (LEFT(s.serial_id::text, 28) || '00000000')::uuid
                 WHERE NOT EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = s.serial_id)
                 ORDER BY s.serial_id DESC LIMIT 1"
            );
            world.sql(&claim);
        };
        claim("SELECT MAX(balance_id) + 1 FROM balances").await;
        let of = format!("relationship_id = '{}'", reseller.uuid());
        // Of an entry that delivers something else.
        claim(&format!(
            "SELECT balance_id FROM balances WHERE {of} AND NOT test"
        ))
        .await;
        let found = world.mismatches().await;
        let told: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    &one["check"],
                    &one["relationship_id"],
                    &one["ledger_version"],
                )
            })
            .collect();
        let (check, version) = (json!("UNDELIVERED"), json!(1));
        let (own, none) = (json!(reseller.to_string()), Value::Null);
        assert!(told.contains(&(&check, &own, &version)), "{told:?}");
        assert!(told.contains(&(&check, &none, &version)), "{told:?}");
        assert_eq!(told.len(), 2);
        assert!(found.iter().all(|one| one["serial_id"].is_string()));
    });
}

#[test]
fn report_is_for_owners_and_managers() {
    with_world(async |world| {
        for (email, role, status) in [
            ("manager@merchant.example", Role::Manager, 200),
            ("viewer@merchant.example", Role::Viewer, 403),
        ] {
            let member = world.member(email, role).await;
            let session = world.open_session(member).await;
            let call = world.as_member(&session, "GET", "/dev/v1/reports/reconciliation");
            assert_eq!(call.send().await.status, status, "{email}");
        }
    });
}
