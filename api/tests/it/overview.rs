//! The first page of a reseller: its sums are the sums of rows, and nobody else's.

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";

impl World {
    async fn overview(&self, session: &str, query: &str) -> Reply {
        let call = self.page("GET", &format!("/overview{query}"));
        call.header("cookie", session).send().await
    }
}

#[test]
fn sums_of_the_first_page_are_those_of_the_rows() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let token = world.token(CODE).await;
        for (invoice, more) in [("A", json!({})), ("B", json!({"discount": "5.00"}))] {
            world.report(&token, invoice, more).await.data(201);
        }
        world
            .sql("UPDATE sales SET commission_status = 'APPROVED' WHERE external_invoice_id = 'A'");
        let order = order_of("OVERVIEW-1", world.product("Antivirus"));
        world.order(&world.key(CODE), &order).await.data(201);
        world.buy_stock(CODE, "Antivirus", 3).await.data(201);
        world.listing_of(CODE);
        // No review is due that would change it.
        world.sql(
            "UPDATE listings SET status = 'ACTIVE', paused = false,
               reviewed_at = now() + interval '1 hour'",
        );

        let told = world.overview(&session, "").await.data(200);
        let of_usd = &told["currencies"][0];
        let reseller = world.reseller(CODE).id;
        let rows = world.scalar(&format!(
            "SELECT SUM(amount - discount - refunded) || ' ' || SUM(commission - reversed) || ' '
               || SUM(commission - reversed) FILTER (WHERE commission_status = 'PENDING')
             FROM sales WHERE relationship_id = '{}'",
            reseller.uuid()
        ));
        let minor = |name: &str| of_usd[name].as_str().unwrap().replace('.', "");
        let sums = ["revenue", "commission", "commission_pending"].map(minor);
        assert_eq!(sums.join(" "), rows);
        assert_eq!(sums, ["3500", "350", "150"]);
        for (name, count) in [
            ("fulfillments", 1),
            ("available_stock", 3),
            ("active_listings", 1),
        ] {
            assert_eq!(of_usd[name], json!(count), "{name}");
        }
        let days = of_usd["series"].as_array().unwrap();
        assert!(days.len() >= 30);
        let sold: Vec<_> = days.iter().filter(|day| day["revenue"] != "0.00").collect();
        assert_eq!((sold.len(), &sold[0]["revenue"]), (1, &json!("35.00")));
        let program = &told["programs"][0];
        assert_eq!(program["relationship_id"], reseller.to_string());
        assert_eq!(
            program["balance"],
            world.balance(&world.key(CODE)).await["balance"]
        );
        assert_eq!(
            (&program["revenue"], &told["todo"]),
            (&json!("35.00"), &json!([]))
        );

        world.sql(
            "UPDATE listings SET status = 'BLOCKED', blocked_reason = 'BELOW_FLOOR', paused = false",
        );
        let query = format!("?relationship_id={reseller}&to=2026-01-01T00:00:00Z");
        let before = world.overview(&session, &query).await.data(200);
        assert_eq!(before["currencies"][0]["revenue"], "0.00");
        assert_eq!(before["currencies"][0]["active_listings"], 0);
        assert_eq!(before["todo"][0]["kind"], "LISTINGS_BLOCKED");
    });
}

#[test]
fn first_page_is_of_ones_own_programs_and_of_a_time_that_is_one() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let other = world.reseller("demo-auto").id;
        for query in [
            format!("?relationship_id={other}"),
            "?relationship_id=x".to_owned(),
        ] {
            world
                .overview(&session, &query)
                .await
                .refused(404, "NOT_FOUND");
        }
        for query in [
            "?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
            "?from=2020-01-01T00:00:00Z",
            "?from=yesterday",
        ] {
            world
                .overview(&session, query)
                .await
                .refused(422, "VALIDATION_ERROR");
        }
        world.person("new@person.example").await;
        let nobody = world.session("new@person.example").await;
        let told: Value = world.overview(&nobody, "").await.data(200);
        assert_eq!(
            (&told["currencies"], &told["programs"]),
            (&json!([]), &json!([]))
        );
        let stranger = world.call("GET", "/portal/v1/overview").send().await;
        stranger.refused(401, "UNAUTHORIZED");
    });
}
