//! A merchant's invoices: opened once per request, read over all resellers, completed and cancelled.

use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const CODE: &str = "demo-both";

impl World {
    async fn invoices(&self, method: &'static str, rest: &str, body: Option<&Value>) -> Reply {
        let path = format!("/dev/v1/invoices{rest}");
        let call = self.call(method, &path).key(&self.merchant_key());
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    async fn open_under(&self, key: &str, amount: &str) -> Reply {
        let call = self.dev_of(CODE, "POST", "top-ups");
        let call = call.header("idempotency-key", key);
        call.json(&json!({"amount": amount})).send().await
    }
}

fn ids(list: &Value) -> Vec<Value> {
    let items = list["data"].as_array().unwrap().iter();
    items.map(|one| one["id"].clone()).collect()
}

#[test]
fn request_opens_one_invoice_even_if_its_answer_was_never_kept() {
    with_world(async |world| {
        let invoice = world.open_under("one", "50.00").await.data(201);
        // As after a crash between the commit and the answer that is kept.
        world.sql("DELETE FROM idempotency_keys");
        let again = world.open_under("one", "50.00").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), invoice);
        world.sql("DELETE FROM idempotency_keys");
        let other = world.open_under("one", "51.00").await;
        other.refused(422, "IDEMPOTENCY_MISMATCH");
        let next = world.open_under("two", "50.00").await.data(201);
        assert_ne!(next["id"], invoice["id"]);
        let keyless = world.invoice(CODE, "50.00").await.data(201);
        assert_ne!(
            keyless["id"],
            world.invoice(CODE, "50.00").await.data(201)["id"]
        );
        assert_eq!(world.scalar("SELECT COUNT(*) FROM invoices"), "4");
        let mails = "SELECT COUNT(*) FROM audit_log WHERE action = 'top_up.open'";
        assert_eq!(world.scalar(mails), "4");
    });
}

#[test]
fn opening_and_cancelling_ends_for_the_day() {
    with_world(async |world| {
        let invoice = world.invoice(CODE, "50.00").await.data(201);
        let cancel = format!("/{}/cancel", invoice["id"].as_str().unwrap());
        let cancelled = world.invoices("POST", &cancel, None).await.data(200);
        assert_eq!(cancelled["status"], "CANCELLED");
        // 98 more like it, none of them of another time.
        world.sql(
            "INSERT INTO invoices (invoice_id, merchant_id, relationship_id, purpose, origin, status,
               amount, coin, provider, instructions, expires_at, created_at, updated_at)
             SELECT (left(i.invoice_id::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, i.merchant_id,
               i.relationship_id, i.purpose, i.origin, i.status, i.amount, i.coin, i.provider,
               i.instructions, i.expires_at, i.created_at, i.updated_at
             FROM invoices AS i, generate_series(1, 98) AS n",
        );
        let last = world.invoice(CODE, "50.00").await.data(201);
        let refused = world.invoice(CODE, "50.00").await;
        refused.refused(409, "INVALID_STATE");
        // One that is paid is none of them.
        let complete = format!("/{}/complete", last["id"].as_str().unwrap());
        world.invoices("POST", &complete, None).await.data(200);
        world.invoice(CODE, "50.00").await.data(201);
    });
}

#[test]
fn invoices_of_all_resellers_are_listed_both_ways_and_as_a_file() {
    with_world(async |world| {
        let mut opened = Vec::new();
        for code in [CODE, "demo-broke", CODE] {
            opened.push(world.invoice(code, "50.00").await.data(201)["id"].clone());
        }
        let newest_first: Vec<_> = opened.iter().rev().cloned().collect();
        let all = world.invoices("GET", "", None).await.json();
        assert_eq!(ids(&all), newest_first);
        let broke = world.reseller("demo-broke").id.to_string();
        assert_eq!(all["data"][1]["reseller_id"], broke.as_str());

        let first = world.invoices("GET", "?limit=2", None).await.json();
        let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
        let rest = format!("?limit=2&cursor={cursor}");
        let rest = world.invoices("GET", &rest, None).await.json();
        assert_eq!([ids(&first), ids(&rest)].concat(), newest_first);
        let second = world.invoices("GET", "?page=2&limit=2", None).await.json();
        assert_eq!(ids(&second), newest_first[2..]);
        assert_eq!(second["pagination"]["total"], 3);

        let file = world.invoices("GET", "?format=csv", None).await.text();
        let lines: Vec<_> = file.lines().collect();
        assert_eq!(lines.len(), 4, "{file}");
        assert!(lines[2].contains(&format!("{broke},TOP_UP,MERCHANT,OPEN,50.00,0.00,USD,BANK")));

        let open = world
            .invoices("GET", "?status=open&purpose=TOP_UP", None)
            .await;
        assert_eq!(ids(&open.json()), newest_first);
        let done = world.invoices("GET", "?status=completed", None).await;
        assert_eq!(ids(&done.json()), Vec::<Value>::new());
        for wrong in ["?status=LOST", "?purpose=GIFT", "?cursor=x", "?format=xml"] {
            let refused = world.invoices("GET", wrong, None).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
    });
}

#[test]
fn completed_invoice_is_credited_once() {
    with_world(async |world| {
        let opened = world.invoice(CODE, "50.00").await.data(201);
        let one = format!("/{}", opened["id"].as_str().unwrap());
        let complete = format!("{one}/complete");
        let word = json!({"reference": "WIRE-1"});
        let done = world
            .invoices("POST", &complete, Some(&word))
            .await
            .data(200);
        assert_eq!(
            (&done["status"], &done["credited"]),
            (&json!("COMPLETED"), &json!("50.00"))
        );
        let again = world.invoices("POST", &complete, Some(&word)).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let other = json!({"reference": "WIRE-2"});
        let other = world.invoices("POST", &complete, Some(&other)).await;
        other.refused(409, "INVALID_STATE");
        let cancel = world.invoices("POST", &format!("{one}/cancel"), None).await;
        cancel.refused(409, "INVALID_STATE");
        let read = world.invoices("GET", &one, None).await.data(200);
        assert_eq!(read["status"], "COMPLETED");
        let credits = "SELECT COUNT(*) || ' of ' || SUM(amount) FROM ledger_entries WHERE kind = 2";
        assert_eq!(world.scalar(credits), "1 of 5000");
    });
}
