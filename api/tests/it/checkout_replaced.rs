//! Serials that a customer bought and that are no good: others take their places, once, and both sides see it.

use api::checkout::carry_replacing;
use serde_json::{Value, json};

use crate::{
    checkout::{after, is_page, location},
    support::{Reply, World, with_world},
};

const ANN: &str = "ann%40example.com";
const FIRST: &str = "SELECT serial_id FROM sold_serials ORDER BY place LIMIT 1";

impl World {
    /// So many units that were paid and delivered: the page of the invoice, and the invoice.
    async fn units_sold(&self, quantity: u32) -> (String, Value) {
        let page = self.invoiced(quantity, ANN, "").await;
        let open = self.newest().await;
        (page, self.pay(&open).await)
    }

    async fn replace_sold(&self, invoice: &Value, body: Value) -> Reply {
        self.act_on(invoice, "replacements", body).await
    }

    async fn revealed(&self, page: &str) -> String {
        is_page(&self.submit(&format!("{page}/reveal"), "").await, 200)
    }

    async fn traced(&self, serial: &str) -> Value {
        let call = self.call("POST", "/dev/v1/serials/trace");
        let call = call.key(&self.merchant_key());
        let traced = call.json(&json!({"serial": serial})).send().await.data(200);
        traced["found"][0].clone()
    }

    async fn burned_of_antivirus(&self) -> Value {
        let path = format!("/dev/v1/serials/batches?product_id={}", self.antivirus());
        let call = self.call("GET", &path).key(&self.merchant_key());
        call.send().await.data(200)[0]["counts"]["burned"].clone()
    }

    /// One of the first serial of the only invoice, as after a crash before its successor left the shelf.
    fn cut_off(&self) {
        self.sql(
            "INSERT INTO invoice_replacements (replacement_id, merchant_id, invoice_id, product_id,
               variant_id, serial_ids, attempted_at, created_at)
             SELECT gen_random_uuid(), g.merchant_id, g.invoice_id, l.product_id, l.variant_id,
               ARRAY[g.serial_id], i.created_at, i.created_at
             FROM sold_serials AS g JOIN invoices AS i ON i.invoice_id = g.invoice_id
             JOIN invoice_lines AS l ON l.invoice_id = g.invoice_id
             ORDER BY g.place LIMIT 1",
        );
    }

    /// As after a crash between the withdrawal and what is noted of it.
    fn unnoted(&self) {
        self.sql(
            "DELETE FROM sold_serials WHERE serial_id IN (SELECT successor_id FROM sold_serials);
             UPDATE sold_serials SET successor_id = NULL;
             UPDATE invoice_replacements SET successor_ids = NULL;
             DELETE FROM mails WHERE kind = 'replacement'",
        );
    }

    /// Everything that a replacement changes.
    fn replaced_units(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM serial_claims) || ' ' || (SELECT COUNT(*) FROM sold_serials)
               || ' ' || (SELECT COUNT(successor_id) FROM sold_serials)
               || ' ' || (SELECT COUNT(*) FROM invoice_replacements)
               || ' ' || (SELECT COUNT(*) FROM mails WHERE kind = 'replacement')",
        )
    }
}

/// The serials that a page shows, and those whose places they took.
fn shown(page: &str) -> (Vec<&str>, Vec<&str>) {
    let between = |open: &str, close: &str| {
        let parts: Vec<_> = page.split(open).skip(1).collect();
        let parts = parts
            .into_iter()
            .map(|part| part.split_once(close).unwrap().0);
        // Collected so that no closure outlives its arguments.
        parts.collect::<Vec<_>>()
    };
    (between("<pre>", "</pre>"), between("<del>", "</del>"))
}

#[test]
fn customer_sees_the_new_serial_beside_the_old_one() {
    with_world(async |world| {
        let (page, paid) = world.units_sold(2).await;
        let before = world.revealed(&page).await;
        let (before, _) = shown(&before);
        assert_eq!(world.burned_of_antivirus().await, 0);
        let reply = world
            .replace_sold(&paid, json!({"reason": "used before"}))
            .await;
        let done = reply.data(201);
        assert_eq!(
            (&done["invoice_id"], &done["product_id"], &done["quantity"]),
            (&paid["id"], &json!(world.antivirus()), &json!(1))
        );
        assert!(done["created_at"].is_i64() && done["message"].is_string());
        let page_now = world.revealed(&page).await;
        let (now, old) = shown(&page_now);
        assert_eq!((now.len(), old), (2, vec![before[0]]), "{page_now}");
        assert_eq!(now[1], before[1], "the other is what it was");
        assert!(!before.contains(&now[0]));
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM sold_serials WHERE revealed_at IS NULL"),
            "0"
        );

        let letter = world.letter("Replaced: Antivirus").await;
        assert!(
            letter.contains("replaced 1 of what you bought (2 x Antivirus"),
            "{letter}"
        );
        let (_, path) = letter.split_once("https://consign.example").unwrap();
        let delivery = path.split_whitespace().next().unwrap();
        assert_eq!(world.revealed(delivery).await, page_now);

        assert_eq!(world.burned_of_antivirus().await, 1);
        let burned = world.traced(before[0]).await;
        assert_eq!(burned["status"], "BURNED");
        assert_eq!(burned["id"], done["replaced"][0]["serial_id"]);
        let successor = world.traced(now[0]).await;
        assert_eq!(successor["status"], "SOLD");
        assert_eq!(successor["id"], done["replaced"][0]["new_serial_id"]);
        let told = world.call("GET", "/dev/v1/events?types=replacement:updated&wait=20");
        let told = told.key(&world.merchant_key()).send().await.data(200);
        assert_eq!(
            told[0]["data"],
            json!({
                "replacement_id": done["id"], "invoice_id": paid["id"], "quantity": 1,
                "product_id": world.antivirus(), "variant_id": null, "status": "ISSUED",
            })
        );
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'invoice.replace'";
        assert_eq!(world.scalar(noted), "1");
    });
}

#[test]
fn mail_shows_both_serials_where_the_merchant_wants_them_in_mails() {
    with_world(async |world| {
        let program = world.call("PATCH", "/dev/v1/reseller-program");
        let program = program.key(&world.merchant_key());
        let inline = json!({"customer_mail": "INLINE"});
        program.json(&inline).send().await.data(200);
        let (page, paid) = world.units_sold(1).await;
        world.replace_sold(&paid, json!({})).await.data(201);
        let page = world.revealed(&page).await;
        let (now, old) = shown(&page);
        let letter = world.letter("Replaced").await;
        let told = format!("{}\nin place of {}", now[0], old[0]);
        assert!(letter.contains(&told), "{letter}");
    });
}

#[test]
fn no_more_is_replaced_than_was_delivered_unless_the_merchant_says_so() {
    with_world(async |world| {
        let (page, paid) = world.units_sold(2).await;
        let too_many = world.replace_sold(&paid, json!({"quantity": 3})).await;
        too_many.refused(422, "REPLACEMENT_REFUSED");
        let second = world.scalar("SELECT serial_id FROM sold_serials WHERE place = 2");
        let all = world
            .replace_sold(&paid, json!({"full": "true"}))
            .await
            .data(201);
        assert_eq!(all["quantity"], 2);
        assert_eq!(all["replaced"].as_array().unwrap().len(), 2);
        let before = world.replaced_units();
        let named = &all["replaced"][0];
        for body in [
            json!({}),
            json!({"full": "true"}),
            json!({"serial_ids": [named["serial_id"]]}),
            json!({"serial_ids": [named["new_serial_id"]]}),
        ] {
            let refused = world.replace_sold(&paid, body).await;
            refused.refused(422, "REPLACEMENT_REFUSED");
        }
        assert_eq!(world.replaced_units(), before);

        let again = json!({
            "serial_ids": [named["new_serial_id"]], "override_remaining_quantity": true
        });
        let again = world.replace_sold(&paid, again).await.data(201);
        assert_eq!(again["replaced"][0]["serial_id"], named["new_serial_id"]);
        let body = json!({
            "serial_ids": [named["serial_id"]], "override_remaining_quantity": true
        });
        let twice = world.replace_sold(&paid, body).await;
        twice.refused(422, "REPLACEMENT_REFUSED");
        let page = world.revealed(&page).await;
        let (now, old) = shown(&page);
        assert_eq!((now.len(), old.len()), (2, 3), "{page}");
        let chained = format!(
            "SELECT COUNT(*) FROM sold_serials WHERE serial_id = '{second}'
               AND successor_id IS NOT NULL"
        );
        assert_eq!(world.scalar(&chained), "1");
    });
}

#[test]
fn replacement_is_carried_out_once_however_often_it_is_sent() {
    with_world(async |world| {
        let (page, paid) = world.units_sold(2).await;
        let path = format!(
            "/dev/v1/invoices/{}/replacements",
            paid["id"].as_str().unwrap()
        );
        let send_this = |body: Value| {
            let call = world.call("POST", &path).key(&world.merchant_key());
            call.header("idempotency-key", "r-1").json(&body).send()
        };
        let send = || send_this(json!({"quantity": 1}));
        let done = send().await.data(201);
        let before = world.replaced_units();
        // Also when the answer is kept no more.
        world.sql("DELETE FROM idempotency_keys");
        let again = send().await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), done);
        world.sql("DELETE FROM idempotency_keys");
        let other = send_this(json!({"quantity": 2})).await;
        other.refused(422, "IDEMPOTENCY_MISMATCH");
        assert_eq!(send().await.data(200), done, "the key is not another's");
        assert_eq!(world.replaced_units(), before);

        let old = world.revealed(&page).await;
        world.unnoted();
        let app = world.server.app();
        assert_eq!(carry_replacing(app, after(2)).await.unwrap(), 1);
        assert_eq!(carry_replacing(app, after(4)).await.unwrap(), 0);
        assert_eq!(world.replaced_units(), before);
        assert_eq!(world.revealed(&page).await, old);
    });
}

#[test]
fn what_was_cut_off_is_forgotten_if_its_purchase_went_back_or_is_disputed() {
    for (path, body) in [
        ("refund", json!({"refund_ref": "B1"})),
        ("dispute", json!({"outcome": "OPENED"})),
    ] {
        with_world(async |world| {
            let (_, paid) = world.units_sold(2).await;
            let before = world.replaced_units();
            world.cut_off();
            world.act_on(&paid, path, body.clone()).await.data(200);
            let app = world.server.app();
            assert_eq!(carry_replacing(app, after(2)).await.unwrap(), 1);
            assert_eq!(world.replaced_units(), before, "after a {path}");
            let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'invoice.replace_undo'";
            assert_eq!(world.scalar(noted), "1");
            assert_eq!(carry_replacing(app, after(4)).await.unwrap(), 0);
        });
    }
}

#[test]
fn what_left_its_shelf_before_its_purchase_went_back_is_noted_and_nobody_is_told() {
    with_world(async |world| {
        let (_, paid) = world.units_sold(2).await;
        world.replace_sold(&paid, json!({})).await.data(201);
        let units = "SELECT string_agg(serial_id || ' ' || COALESCE(successor_id || '', ''), ','
            ORDER BY place) FROM sold_serials";
        let before = world.scalar(units);
        world.unnoted();
        let refund = json!({"refund_ref": "B1"});
        world.act_on(&paid, "refund", refund).await.data(200);
        let app = world.server.app();
        assert_eq!(carry_replacing(app, after(2)).await.unwrap(), 1);
        assert_eq!(carry_replacing(app, after(4)).await.unwrap(), 0);
        assert_eq!(world.scalar(units), before);
        let told = "SELECT COUNT(*) FROM mails WHERE kind = 'replacement'";
        assert_eq!(world.scalar(told), "0");
    });
}

#[test]
fn no_serial_is_replaced_beside_a_replacement_that_was_cut_off() {
    with_world(async |world| {
        let (page, paid) = world.units_sold(2).await;
        let nobodys = "SELECT COUNT(*) FROM serial_claims AS c WHERE NOT EXISTS (
            SELECT FROM sold_serials AS g WHERE g.serial_id = c.serial_id)";
        let lost = world.scalar(nobodys);
        world.cut_off();
        let before = world.replaced_units();
        let beside = world.replace_sold(&paid, json!({})).await;
        beside.refused(409, "REQUEST_IN_PROGRESS");
        assert_eq!(world.replaced_units(), before);
        let app = world.server.app();
        assert_eq!(carry_replacing(app, after(2)).await.unwrap(), 1);
        let open = world.replace_sold(&paid, json!({"full": "true"})).await;
        assert_eq!(open.data(201)["quantity"], 1, "the other one");
        let page = world.revealed(&page).await;
        let (now, old) = shown(&page);
        assert_eq!((now.len(), old.len()), (2, 2), "{page}");
        assert_eq!(world.scalar(nobodys), lost);
    });
}

#[test]
fn what_was_forgotten_before_its_turn_takes_nothing_off_the_shelf() {
    with_world(async |world| {
        world.units_sold(1).await;
        let before = world.replaced_units();
        world.cut_off();
        // Whoever has the turn before the job finds too little, and forgets it.
        world.sql(
            "CREATE FUNCTION forgotten() RETURNS trigger LANGUAGE plpgsql AS
               'BEGIN DELETE FROM invoice_replacements WHERE replacement_id = NEW.replacement_id;
                RETURN NULL; END';
             CREATE TRIGGER forgotten AFTER UPDATE OF attempted_at ON invoice_replacements
               FOR EACH ROW EXECUTE FUNCTION forgotten()",
        );
        let app = world.server.app();
        assert_eq!(carry_replacing(app, after(2)).await.unwrap(), 1);
        assert_eq!(world.replaced_units(), before);
    });
}

#[test]
fn empty_shelf_changes_nothing_and_what_is_wanted_may_be_wanted_again() {
    with_world(async |world| {
        let (page, paid) = world.units_sold(1).await;
        let path = format!("/dev/v1/products/{}/serials", world.antivirus());
        let claim = world.call("POST", &format!("{path}/claim"));
        let claim = claim.key(&world.merchant_key());
        claim.json(&json!({"amount": 199})).send().await.data(200);
        let before = world.replaced_units();
        let none = world.replace_sold(&paid, json!({})).await;
        none.refused(409, "OUT_OF_STOCK");
        assert_eq!(world.replaced_units(), before);
        let import = world.call("POST", &path).key(&world.merchant_key());
        let import = import.json(&json!({"serials": ["FRESH-1"]}));
        import.send().await.data(201);
        world.replace_sold(&paid, json!({})).await.data(201);
        let page = world.revealed(&page).await;
        assert_eq!(shown(&page).0, ["FRESH-1"]);
    });
}

#[test]
fn what_was_not_delivered_or_went_back_is_not_replaced() {
    with_world(async |world| {
        world.invoiced(1, ANN, "").await;
        let open = world.newest().await;
        let early = world.replace_sold(&open, json!({})).await;
        early.refused(409, "INVALID_STATE");
        let paid = world.pay(&open).await;
        let serial = world.scalar(FIRST);
        for (field, body) in [
            ("quantity", json!({"quantity": 0})),
            ("quantity", json!({"quantity": 21})),
            ("quantity", json!({"quantity": 1, "full": "true"})),
            ("full", json!({"full": "yes"})),
            ("serial_ids", json!({"serial_ids": []})),
            ("serial_ids", json!({"serial_ids": [serial]})),
            (
                "product_id",
                json!({"product_id": world.product("Closed").id.to_string()}),
            ),
            ("reason", json!({"reason": ""})),
        ] {
            let refused = world
                .replace_sold(&paid, body)
                .await
                .refused(422, "VALIDATION_ERROR");
            assert_eq!(refused["details"][0]["field"], field, "{refused}");
        }
        let refund = json!({"refund_ref": "B1"});
        world.act_on(&paid, "refund", refund).await.data(200);
        let body = json!({"override_remaining_quantity": true});
        let late = world.replace_sold(&paid, body).await;
        late.refused(422, "REPLACEMENT_REFUSED");
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM invoice_replacements"),
            "0"
        );
    });
}

#[test]
fn one_line_of_a_cart_is_named() {
    with_world(async |world| {
        let form = format!("quantity=1&email={ANN}");
        let visit = world.visit(&world.antivirus(), &form, "").await;
        let closed = world.product("Closed beta").id.to_string();
        let add = format!("product={closed}&quantity=1");
        location(&world.submit(&format!("{visit}/add"), &add).await);
        let yes = "email=ann%40example.com&coin=BANK";
        let page = location(&world.submit(&visit, yes).await);
        let open = world.newest().await;
        let paid = world.pay(&open).await;
        let unnamed = world.replace_sold(&paid, json!({})).await;
        unnamed.refused(422, "VALIDATION_ERROR");
        let before = world.revealed(&page).await;
        let body = json!({"product_id": closed});
        world.replace_sold(&paid, body).await.data(201);
        let now = world.revealed(&page).await;
        let ((before, _), (now, old)) = (shown(&before), shown(&now));
        assert_eq!(now[0], before[0], "the other line is what it was");
        assert_eq!(old, before[1..], "{now:?}");
        assert_eq!(now.len(), 2);
    });
}
