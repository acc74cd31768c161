//! Addresses of invoices that are paid in tokens: given away once, and only where somebody can watch them.

use engine::{chains::Account, persons::Role};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{LogWatch, NODE_KEY, World, with_world};

const CODE: &str = "demo-both";
/// The account of the phrase that every development chain knows.
const XPUB: &str = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP";
const TOKEN: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";

impl World {
    /// A method in tokens of this network, as it is stored once the network was asked.
    pub(crate) fn takes_tokens(&self, coin: &str, network: &str) {
        self.sql(&format!(
            "INSERT INTO payment_methods (merchant_id, coin, place, provider, enabled, instructions,
               xpub, network, chain_id, token, decimals, confirmations)
             SELECT merchant_id, '{coin}', 7, 'evm_erc20', true, '', '{XPUB}', '{network}', 31337,
               decode('{}', 'hex'), 6, 12 FROM merchants",
            &TOKEN[2..]
        ));
    }

    async fn bill(&self, coin: &str) -> Value {
        let call = self.dev_of(CODE, "POST", "top-ups");
        let call = call.json(&json!({"amount": "50.00", "coin": coin}));
        call.send().await.data(201)
    }
}

#[test]
fn address_is_given_away_once_whoever_races_and_by_whichever_method() {
    with_world(async |world| {
        world.takes_tokens("USDT", "silent");
        world.takes_tokens("USDT-2", "silent");
        let coins = ["USDT", "USDT-2"].into_iter().cycle().take(8);
        let opened = join_all(coins.map(|coin| world.bill(coin))).await;
        let address = |invoice: &Value| invoice["pay"]["address"].as_str().unwrap().to_owned();
        let mut given: Vec<_> = opened.iter().map(address).collect();
        let account = Account::parse(XPUB).unwrap();
        let mut derived: Vec<_> = (0..8)
            .map(|index| account.address(index).unwrap().to_string())
            .collect();
        given.sort();
        derived.sort();
        assert_eq!(given, derived);
        for invoice in &opened {
            let read = world
                .call(
                    "GET",
                    &format!("/reseller/v1/top-ups/{}", invoice["id"].as_str().unwrap()),
                )
                .key(&world.key(CODE));
            assert_eq!(read.send().await.data(200)["pay"], invoice["pay"]);
            assert_eq!(invoice["pay"]["network"], "silent");
            assert_eq!(invoice["pay"]["coin_amount"], "50.00");
        }
        let mails = world.letters().await;
        for address in given {
            let told = mails.iter().filter(|mail| mail.text.contains(&address));
            assert_eq!(told.count(), 1, "{address}");
        }
    });
}

#[test]
fn merchants_word_pays_an_invoice_in_tokens_once() {
    with_world(async |world| {
        world.takes_tokens("USDT", "silent");
        let opened = world.bill("USDT").await;
        let path = format!(
            "/dev/v1/invoices/{}/complete",
            opened["id"].as_str().unwrap()
        );
        let complete = || world.call("POST", &path).key(&world.merchant_key()).send();
        assert_eq!(complete().await.data(200)["status"], "COMPLETED");
        assert_eq!(complete().await.data(200)["credited"], "50.00");
        let entries = world.scalar("SELECT COUNT(*) FROM ledger_entries WHERE kind = 2");
        assert_eq!(entries, "1");
    });
}

#[test]
fn network_that_nobody_watches_or_that_does_not_answer_takes_no_invoice() {
    with_world(async |world| {
        LogWatch::of_process().look_for(NODE_KEY);
        world.member("owner@merchant.example", Role::Owner).await;
        let path = "/dev/v1/payment-methods";
        let session = world.stepped_up("owner@merchant.example").await;
        let replace = |network: &str| {
            let methods = json!({"methods": [{"coin": "USDT", "provider": "evm_erc20",
                "xpub": XPUB, "network": network, "token": TOKEN}]});
            world.as_member(&session, "PUT", path).json(&methods).send()
        };
        let refused = replace("silent").await.refused(502, "PROVIDER_UNAVAILABLE");
        assert!(!refused.to_string().contains(NODE_KEY), "{refused}");
        let refused = replace("elsewhere").await.refused(422, "VALIDATION_ERROR");
        assert!(refused.to_string().contains("silent"), "{refused}");
        let methods = world.as_member(&session, "GET", path).send().await;
        assert_eq!(methods.data(200)[0]["coin"], "BANK");

        world.takes_tokens("GONE", "elsewhere");
        let call = world.dev_of(CODE, "POST", "top-ups");
        let call = call.json(&json!({"amount": "50.00", "coin": "GONE"}));
        call.send().await.refused(502, "PROVIDER_UNAVAILABLE");
        let read = world
            .as_member(&session, "GET", path)
            .send()
            .await
            .data(200);
        assert_eq!(
            (
                &read[1]["token"],
                &read[1]["xpub"],
                &read[1]["confirmations"]
            ),
            (&json!(TOKEN), &json!(XPUB), &json!(12))
        );
        let (found, _) = LogWatch::of_process().found();
        let leaks = found.iter().filter(|line| line.contains(NODE_KEY));
        assert_eq!(leaks.count(), 0);
    });
}
