//! What a merchant says of itself: changed by its owner, seen by its resellers.

use engine::persons::Role;
use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const OWNER: &str = "owner@merchant.example";
const PATH: &str = "/dev/v1/settings";

impl World {
    async fn set_shop(&self, session: &str, body: &Value) -> Reply {
        let call = self.as_member(session, "PATCH", PATH);
        call.json(body).send().await
    }
}

#[test]
fn owner_says_who_the_merchant_is_and_resellers_see_it() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        let session = world.stepped_up(OWNER).await;
        let at_first = world.as_member(&session, "GET", PATH).send().await;
        let at_first = at_first.data(200);
        assert_eq!(at_first["support_email"], Value::Null);
        let all = json!({"name": " Keys & Co ", "storefront_url": "https://shop.keys.example/",
            "support_email": "Help@Keys.example"});
        let changed = world.set_shop(&session, &all).await.data(200);
        let expected = json!({"name": "Keys & Co", "storefront_url": "https://shop.keys.example/",
            "support_email": "help@keys.example", "currency": at_first["currency"]});
        assert_eq!(changed, expected);
        let part = json!({"support_email": null});
        let changed = world.set_shop(&session, &part).await.data(200);
        assert_eq!(
            (&changed["support_email"], &changed["name"]),
            (&Value::Null, &expected["name"])
        );
        let again = json!({"support_email": "help@keys.example"});
        world.set_shop(&session, &again).await.data(200);

        let ann = world.as_reseller("demo-both", "ann@example.com").await;
        let programs = world.page("GET", "/programs").header("cookie", &ann);
        let programs = programs.send().await.data(200);
        let shown = &programs[0]["merchant"];
        assert_eq!(
            (&shown["name"], &shown["url"], &shown["support_email"]),
            (
                &expected["name"],
                &expected["storefront_url"],
                &expected["support_email"]
            )
        );

        let before = world
            .as_member(&session, "GET", PATH)
            .send()
            .await
            .data(200);
        for wrong in [
            json!({"name": null, "support_email": "x"}),
            json!({"name": " "}),
            json!({"name": "a".repeat(101)}),
            json!({"storefront_url": "http://shop.keys.example/"}),
            json!({"storefront_url": "https://127.0.0.1/"}),
            json!({"currency": "EUR"}),
        ] {
            let refused = world.set_shop(&session, &wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let stale = world.session(OWNER).await;
        let refused = world.set_shop(&stale, &again).await;
        refused.refused(403, "STEP_UP_REQUIRED");
        let after = world
            .as_member(&session, "GET", PATH)
            .send()
            .await
            .data(200);
        assert_eq!(after, before);
    });
}
