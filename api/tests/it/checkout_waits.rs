//! Invoices that wait: for their money, for stock, for whoever carries on what was cut off.

use api::checkout::{carry_waiting, expire_due};
use serde_json::json;

use crate::{
    checkout::{after, is_page, location},
    support::{order_of, with_world},
};

const CODE: &str = "demo-both";
const ANN: &str = "ann%40example.com";

#[test]
fn open_invoice_keeps_its_units_until_it_ends() {
    with_world(async |world| {
        let beta = world.product("Closed beta").clone();
        let path = format!("/checkout/p/{}", beta.id);
        let visit = world.visit(&beta.id.to_string(), "quantity=2", "").await;
        let late = world.visit(&beta.id.to_string(), "quantity=2", "").await;
        let form = format!("email={ANN}&coin=BANK");
        location(&world.submit(&visit, &form).await);
        let open = world.newest().await;
        is_page(&world.submit(&late, &form).await, 409);
        let key = world.key(CODE);
        world
            .order(&key, &order_of("KEPT-1", &beta))
            .await
            .data(201);
        let none = world.order(&key, &order_of("KEPT-2", &beta)).await;
        none.refused(409, "OUT_OF_STOCK");
        assert!(is_page(&world.see(&path).await, 200).contains("sold out"));
        // What is kept for it is its own, whatever others want.
        assert_eq!(world.pay(&open).await["status"], "COMPLETED");
        let import = world.call("POST", &format!("/dev/v1/products/{}/serials", beta.id));
        let import = import.key(&world.merchant_key());
        let serials = json!({"serials": ["BETA-4", "BETA-5", "BETA-6", "BETA-7"]});
        import.json(&serials).send().await.data(201);
        location(&world.submit(&late, &form).await);
        let cancelled = world.newest().await;
        let other = world.visit(&beta.id.to_string(), "quantity=2", "").await;
        location(&world.submit(&other, &form).await);
        let none = world.order(&key, &order_of("KEPT-2", &beta)).await;
        none.refused(409, "OUT_OF_STOCK");
        world
            .act_on(&cancelled, "cancel", json!({}))
            .await
            .data(200);
        world
            .order(&key, &order_of("KEPT-2", &beta))
            .await
            .data(201);
        world
            .order(&key, &order_of("KEPT-3", &beta))
            .await
            .data(201);
        let app = world.server.app();
        assert_eq!(expire_due(app, after(61)).await.unwrap(), 1);
        world
            .order(&key, &order_of("KEPT-4", &beta))
            .await
            .data(201);
        // Late money finds what is left: one, and two were bought.
        assert_eq!(world.pay(&cancelled).await["status"], "AWAITING_STOCK");
        let ended =
            world.scalar("SELECT string_agg(ending, ' ' ORDER BY ending) FROM reservations");
        assert_eq!(ended, "EXPIRED REDEEMED");
        let waits = "SELECT COUNT(*) FROM reservations WHERE waits AND ended_at IS NULL";
        assert_eq!(world.scalar(waits), "1");
    });
}

#[test]
fn payment_that_comes_late_still_counts() {
    with_world(async |world| {
        let page = world.invoiced(1, ANN, "").await;
        let open = world.newest().await;
        let app = world.server.app();
        assert_eq!(expire_due(app, after(59)).await.unwrap(), 0);
        assert_eq!(expire_due(app, after(61)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "EXPIRED");
        assert!(is_page(&world.see(&page).await, 200).contains("time to pay is over"));
        world
            .act_on(&open, "cancel", json!({}))
            .await
            .refused(409, "INVALID_STATE");
        assert_eq!(world.pay(&open).await["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "1");
        let status = world.see(&format!("{page}/status")).await.data(200);
        assert_eq!(
            (&status["status"], &status["received"]),
            (&json!("COMPLETED"), &json!("29.99"))
        );
    });
}

#[test]
fn what_is_short_after_the_payment_waits_for_stock_and_comes() {
    with_world(async |world| {
        let product = world.antivirus();
        let page = world.invoiced(2, ANN, "").await;
        let open = world.newest().await;
        let app = world.server.app();
        expire_due(app, after(61)).await.unwrap();
        let claim = world.call("POST", &format!("/dev/v1/products/{product}/serials/claim"));
        let claim = claim
            .key(&world.merchant_key())
            .json(&json!({"amount": 200}));
        claim.send().await.data(200);
        let paid = world.pay(&open).await;
        assert_eq!(paid["status"], "AWAITING_STOCK");
        assert!(is_page(&world.see(&page).await, 200).contains("not enough in stock"));
        is_page(&world.submit(&format!("{page}/reveal"), "").await, 409);
        assert!(world.letter("is waiting").await.contains(&page));
        let told = world.call("GET", "/dev/v1/events?types=invoice:awaiting_stock&wait=20");
        let told = told.key(&world.merchant_key()).send().await.data(200);
        assert_eq!(told[0]["data"]["invoice_id"], open["id"]);
        assert_eq!(carry_waiting(app, after(2)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "AWAITING_STOCK");
        let import = world.call("POST", &format!("/dev/v1/products/{product}/serials"));
        let import = import.key(&world.merchant_key());
        import
            .json(&json!({"serials": ["LATE-1", "LATE-2"]}))
            .send()
            .await
            .data(201);
        // What came is the customer's, whoever asks first.
        let antivirus = order_of("WAITS-1", world.product("Antivirus"));
        let none = world.order(&world.key(CODE), &antivirus).await;
        none.refused(409, "OUT_OF_STOCK");
        assert_eq!(carry_waiting(app, after(4)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "COMPLETED");
        let page = is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert!(page.contains("LATE-1") && page.contains("LATE-2"));
    });
}

#[test]
fn delivery_that_a_crash_cut_off_is_carried_on_once() {
    with_world(async |world| {
        world.invoiced(2, ANN, "").await;
        let open = world.newest().await;
        world.pay(&open).await;
        // As after a crash between the withdrawal and what is noted of it.
        world.sql("DELETE FROM sold_serials");
        world.sql("UPDATE invoices SET status = 'PAID', completed_at = NULL");
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");
        let app = world.server.app();
        assert_eq!(carry_waiting(app, after(2)).await.unwrap(), 1);
        assert_eq!(carry_waiting(app, after(4)).await.unwrap(), 0);
        assert_eq!(world.newest().await["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "2");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM serial_claims"), claims);
    });
}

#[test]
fn reference_pays_one_invoice_and_a_payment_counts_once() {
    with_world(async |world| {
        world.invoiced(1, ANN, "").await;
        let first = world.newest().await;
        world.invoiced(1, ANN, "").await;
        let second = world.newest().await;
        let reference = json!({"reference": "transfer 7"});
        let both = futures_util::future::join_all(
            (0..4).map(|_| world.act_on(&first, "complete", reference.clone())),
        );
        for reply in both.await {
            assert_eq!(reply.data(200)["received"], "29.99");
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM payments"), "1");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "1");
        let taken = world.act_on(&second, "complete", reference).await;
        taken.refused(409, "ALREADY_EXISTS");
        let other = world
            .act_on(&first, "complete", json!({"reference": "transfer 8"}))
            .await;
        other.refused(409, "INVALID_STATE");
        let cancelled = world.act_on(&second, "cancel", json!({})).await.data(200);
        assert_eq!(cancelled["status"], "CANCELLED");
        let again = world.act_on(&second, "cancel", json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(world.pay(&second).await["status"], "COMPLETED");
    });
}
