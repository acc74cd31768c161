//! Which mails a reseller gets: what protects it always, the others if it wants them, with copies.

use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";

impl World {
    async fn set_mails(&self, session: &str, body: &Value) -> Reply {
        let reseller = self.reseller(CODE).id;
        let call = self.page("PUT", &format!("/programs/{reseller}/notifications"));
        call.header("cookie", session).json(body).send().await
    }

    async fn mails_set(&self, session: &str) -> Value {
        let reseller = self.reseller(CODE).id;
        let call = self.page("GET", &format!("/programs/{reseller}/notifications"));
        call.header("cookie", session).send().await.data(200)
    }

    /// Who was mailed since the last look, and of what.
    async fn mailed(&self) -> Vec<(String, String)> {
        let letters = self.letters().await.into_iter();
        let mut mailed: Vec<_> = letters.map(|letter| (letter.to, letter.subject)).collect();
        self.sql("DELETE FROM mails");
        mailed.sort_unstable();
        mailed
    }

    async fn pay_in(&self) {
        let opened = self.invoice(CODE, "20.00").await.data(201);
        let path = format!("top-ups/{}/mark-paid", opened["id"].as_str().unwrap());
        let paid = self.dev_of(CODE, "POST", &path).json(&json!({}));
        paid.send().await.data(200);
    }
}

#[test]
fn reseller_gets_the_mails_that_it_wants_and_copies_go_along() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let at_first = world.mails_set(&session).await;
        assert_eq!(
            at_first["top_up"],
            json!({"email": true, "required": false})
        );
        assert_eq!(at_first["status"], json!({"email": true, "required": true}));
        assert_eq!(at_first["recipients"], json!([]));
        world.mailed().await;
        world.pay_in().await;
        assert_eq!(world.mailed().await.len(), 2, "opened, and paid");

        let copies = json!({"recipients": ["Books@Partner.example", "second@partner.example"]});
        let set = world.set_mails(&session, &copies).await.data(200);
        let expected = json!(["books@partner.example", "second@partner.example"]);
        assert_eq!(set["recipients"], expected);
        world.pay_in().await;
        let mailed = world.mailed().await;
        assert_eq!(mailed.len(), 6);
        for to in [EMAIL, "books@partner.example", "second@partner.example"] {
            assert_eq!(
                mailed.iter().filter(|(found, _)| found == to).count(),
                2,
                "{to}"
            );
        }

        let off = json!({"top_up": {"email": false}, "recipients": ["books@partner.example"]});
        world.set_mails(&session, &off).await.data(200);
        assert_eq!(world.mails_set(&session).await["top_up"]["email"], false);
        world.pay_in().await;
        assert_eq!(world.mailed().await, []);
        let state = world.mails_set(&session).await;
        for wrong in [
            json!({"status": {"email": false}}),
            json!({"key": {"email": false}}),
            json!({"recipients": ["x"]}),
            json!({"recipients": ["a@b.example", "A@b.example"]}),
            json!({"recipients": ["1@b.example", "2@b.example", "3@b.example", "4@b.example",
                "5@b.example", "6@b.example"]}),
            json!({"sms": {"email": true}}),
        ] {
            let refused = world.set_mails(&session, &wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        assert_eq!(world.mails_set(&session).await, state);
    });
}

#[test]
fn suspension_is_mailed_with_its_reason_once() {
    with_world(async |world| {
        world.as_reseller(CODE, EMAIL).await;
        world.mailed().await;
        let suspend = async || {
            let call = world.dev_of(CODE, "POST", "suspend");
            call.json(&json!({"reason": "Too many bad orders"}))
                .send()
                .await
                .data(200)
        };
        suspend().await;
        suspend().await;
        let letters = world.letters().await;
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].to, EMAIL);
        assert!(letters[0].text.contains("Too many bad orders"));
        world.sql("DELETE FROM mails");
        for (verb, says) in [("reactivate", "active again"), ("terminate", "ended")] {
            world.dev_of(CODE, "POST", verb).send().await.data(200);
            let mailed = world.mailed().await;
            assert!(
                mailed.len() == 1 && mailed[0].1.contains(says),
                "{mailed:?}"
            );
        }
    });
}
