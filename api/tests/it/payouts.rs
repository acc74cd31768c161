//! Payouts: asked for within what was earned, checked, paid once; and who a reseller is.

use engine::persons::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const ADDRESS: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

impl World {
    /// Money that was earned and approved, in dollars, and a program that pays it out.
    pub(crate) async fn earned(&self, dollars: u32) {
        self.selling();
        self.pays_out();
        let token = self.token(CODE).await;
        let amount = json!({"amount": format!("{dollars}0.00")});
        let invoice = format!("EARNED-{dollars}");
        let sale = self.report(&token, &invoice, amount).await.data(201);
        let path = format!(
            "commissions/{}/approve",
            sale["commission"]["id"].as_str().unwrap()
        );
        self.dev_of(CODE, "POST", &path).send().await.data(200);
    }

    /// The program pays out from five dollars on.
    pub(crate) fn pays_out(&self) {
        self.sql(
            "UPDATE programs SET min_payout = 500,
               payout_assets = '[{\"asset\": \"USDC\", \"network\": \"BASE\"}]'",
        );
    }

    /// The id of a payout of this reseller, as a row.
    pub(crate) fn payout_of(&self, code: &str) -> String {
        let reseller = self.reseller(code).id.uuid();
        let id = self.scalar(&format!(
            "INSERT INTO payouts (payout_id, merchant_id, relationship_id, request_id, amount, asset,
               network, chain, address, status, approvable_at, created_at, updated_at)
             SELECT gen_random_uuid(), merchant_id, relationship_id, gen_random_uuid(), 100, 'USDC',
               'BASE', 'BASE', 'x', 'PENDING', now(), now(), now()
             FROM relationships WHERE relationship_id = '{reseller}' RETURNING payout_id"
        ));
        let id = id.split_whitespace().next().unwrap().parse().unwrap();
        engine::ids::PayoutId::from_uuid(id).to_string()
    }

    fn mine(&self, session: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/{path}");
        self.page(method, &path).header("cookie", session)
    }

    pub(crate) async fn ask_payout(&self, session: &str, amount: &str) -> Reply {
        let body =
            json!({"amount": amount, "asset": "usdc", "network": "base", "address": ADDRESS});
        self.mine(session, "POST", "payouts")
            .json(&body)
            .send()
            .await
    }

    pub(crate) async fn settle(&self, payout: &Value, verb: &str, body: &Value) -> Reply {
        let path = format!("payouts/{}/{verb}", payout["id"].as_str().unwrap());
        self.dev_of(CODE, "POST", &path).json(body).send().await
    }

    pub(crate) async fn account(&self, session: &str) -> Value {
        self.mine(session, "GET", "earnings").send().await.data(200)
    }

    /// The sums of payouts against the rows: empty if they agree.
    pub(crate) fn payouts_that_do_not_add_up(&self) -> String {
        self.scalar(
            "SELECT COALESCE(string_agg(to_jsonb(e)::text, ' '), '') FROM earnings AS e
             LEFT JOIN LATERAL (
               SELECT COALESCE(SUM(y.amount) FILTER (WHERE y.status IN ('PENDING', 'APPROVED')), 0)
                   AS open_payouts,
                 COALESCE(SUM(y.amount) FILTER (WHERE y.status = 'COMPLETED'), 0) AS paid_out
               FROM payouts AS y WHERE y.relationship_id = e.relationship_id) AS y ON true
             WHERE (e.open_payouts, e.paid_out) <> (y.open_payouts, y.paid_out)",
        )
    }
}

/// The session of the reseller, whose password was just repeated.
pub(crate) async fn reseller(world: &World) -> String {
    world.as_reseller(CODE, EMAIL).await;
    world.stepped_up(EMAIL).await
}

pub(crate) fn sums(account: &Value) -> [&str; 4] {
    ["approved", "paid_out", "open_payouts", "available"]
        .map(|name| account[name].as_str().unwrap())
}

async fn paid_is_in_ledger_and_list(world: &World, session: &str, paid: &Value) {
    let ledger = world.mine(session, "GET", "earnings/ledger");
    let ledger = ledger.send().await.json();
    assert_eq!(
        (&ledger["data"][0]["kind"], &ledger["data"][0]["amount"]),
        (&json!("PAYOUT"), &json!("-25.00"))
    );
    let listed = world.dev_of(CODE, "GET", "payouts?status=completed");
    let listed = listed.send().await.json();
    assert_eq!(listed["data"], json!([paid]));
    assert_eq!(listed["earnings"]["available"], "15.00");
}

#[test]
fn payout_is_asked_for_approved_after_a_day_and_paid() {
    with_world(async |world| {
        world.earned(40).await;
        world.member("owner@merchant.example", Role::Owner).await;
        let session = reseller(world).await;
        let before = world.account(&session).await;
        assert_eq!(
            (&before["can_request"], &before["blocked_by"]),
            (&json!(true), &json!([]))
        );
        let asked = world.ask_payout(&session, "25.00").await.data(201);
        assert_eq!(
            (&asked["status"], &asked["proof"]),
            (&json!("PENDING"), &json!("NONE"))
        );
        assert_eq!(
            (&asked["asset"], &asked["network"]),
            (&json!("USDC"), &json!("BASE"))
        );
        assert_eq!(
            sums(&world.account(&session).await),
            ["40.00", "0.00", "25.00", "15.00"]
        );
        let letters = world.letters().await;
        let mut told: Vec<_> = letters.iter().map(|one| one.to.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, [EMAIL, EMAIL, "owner@merchant.example"]);
        assert!(letters.iter().all(|letter| !letter.text.contains(ADDRESS)));

        let early = world.settle(&asked, "approve", &json!({})).await;
        let refused = early.refused(409, "INVALID_STATE");
        assert_eq!(refused["details"][0]["field"], "approvable_at");
        world.sql("UPDATE payouts SET approvable_at = now()");
        let approved = world.settle(&asked, "approve", &json!({})).await.data(200);
        assert_eq!(
            (&approved["status"], &approved["forced"]),
            (&json!("APPROVED"), &json!(false))
        );
        let late = world.mine(
            &session,
            "POST",
            &format!("payouts/{}/cancel", asked["id"].as_str().unwrap()),
        );
        late.send().await.refused(409, "INVALID_STATE");
        let hash = format!("0x{}", "AB".repeat(32));
        let paid = json!({"tx_hash": hash, "asset_amount": "25"});
        let paid = world.settle(&asked, "complete", &paid).await.data(200);
        assert_eq!(
            (&paid["status"], &paid["proof"]),
            (&json!("COMPLETED"), &json!("UNVERIFIED"))
        );
        assert_eq!(paid["tx_hash"], hash.to_lowercase());
        let again = world
            .settle(&asked, "complete", &json!({"tx_hash": hash}))
            .await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(
            sums(&world.account(&session).await),
            ["40.00", "25.00", "0.00", "15.00"]
        );
        paid_is_in_ledger_and_list(world, &session, &paid).await;
        assert_eq!(world.payouts_that_do_not_add_up(), "");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        let deeds = world.scalar("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log");
        assert!(
            deeds.contains("payout.request payout.approve payout.complete"),
            "{deeds}"
        );
    });
}

#[test]
fn requests_that_race_for_the_same_money_take_it_once() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let racing = (0..20).map(|_| world.ask_payout(&session, "15.00"));
        let replies = join_all(racing).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 2);
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            let refused = reply.refused(422, "AMOUNT_OUT_OF_RANGE");
            assert_eq!(refused["details"][1]["message"], "10.00");
        }
        assert_eq!(
            sums(&world.account(&session).await),
            ["40.00", "0.00", "30.00", "10.00"]
        );
        assert_eq!(world.payouts_that_do_not_add_up(), "");
    });
}

#[test]
fn request_that_may_not_be_is_refused_and_sets_nothing_aside() {
    with_world(async |world| {
        world.earned(40).await;
        let plain = world.as_reseller(CODE, EMAIL).await;
        world
            .ask_payout(&plain, "10.00")
            .await
            .refused(403, "STEP_UP_REQUIRED");
        let session = world.stepped_up(EMAIL).await;
        for amount in ["40.01", "4.99", "0"] {
            world
                .ask_payout(&session, amount)
                .await
                .refused(422, "AMOUNT_OUT_OF_RANGE");
        }
        for (asset, network, address) in [
            ("USDC", "BASE", ADDRESS.to_lowercase()),
            // Good on another network.
            (
                "USDC",
                "BASE",
                "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa".to_owned(),
            ),
            (
                "USDC",
                "BASE",
                "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t".to_owned(),
            ),
            (
                "USDC",
                "BASE",
                "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee".to_owned(),
            ),
            (
                "BTC",
                "BITCOIN",
                "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa".to_owned(),
            ),
        ] {
            let body =
                json!({"amount": "10.00", "asset": asset, "network": network, "address": address});
            let call = world.mine(&session, "POST", "payouts").json(&body);
            call.send().await.refused(422, "VALIDATION_ERROR");
        }
        world.sql("UPDATE programs SET require_verification = true");
        world
            .ask_payout(&session, "10.00")
            .await
            .refused(403, "VERIFICATION_REQUIRED");
        let account = world.account(&session).await;
        assert_eq!(account["blocked_by"], json!(["VERIFICATION_REQUIRED"]));
        world.sql("UPDATE programs SET require_verification = false");
        for _ in 0..5 {
            world.ask_payout(&session, "5.00").await.data(201);
        }
        world
            .ask_payout(&session, "5.00")
            .await
            .refused(409, "INVALID_STATE");
        assert_eq!(world.payouts_that_do_not_add_up(), "");
    });
}

#[test]
fn open_payout_ends_once_and_its_amount_is_there_again() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let first = world.ask_payout(&session, "10.00").await.data(201);
        let rejected = world
            .settle(&first, "reject", &json!({"reason": "Wrong asset."}))
            .await;
        let rejected = rejected.data(200);
        assert_eq!(
            (&rejected["status"], &rejected["status_reason"]),
            (&json!("REJECTED"), &json!("Wrong asset."))
        );
        world
            .settle(&first, "approve", &json!({}))
            .await
            .refused(409, "INVALID_STATE");
        let second = world.ask_payout(&session, "10.00").await.data(201);
        let path = format!("payouts/{}/cancel", second["id"].as_str().unwrap());
        let cancelled = world.mine(&session, "POST", &path).send().await.data(200);
        assert_eq!(cancelled["status"], "CANCELLED");
        let third = world.ask_payout(&session, "10.00").await.data(201);
        world
            .settle(&third, "complete", &json!({}))
            .await
            .refused(409, "INVALID_STATE");
        let forced = world
            .settle(&third, "force-approve", &json!({"reason": "Known."}))
            .await
            .data(200);
        assert_eq!(
            (&forced["status"], &forced["forced"]),
            (&json!("APPROVED"), &json!(true))
        );
        world.settle(&third, "cancel", &json!({})).await.data(200);
        assert_eq!(
            sums(&world.account(&session).await),
            ["40.00", "0.00", "0.00", "40.00"]
        );
        assert_eq!(world.payouts_that_do_not_add_up(), "");
    });
}

#[test]
fn hash_pays_one_payout() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let mut asked = Vec::new();
        for _ in 0..2 {
            let payout = world.ask_payout(&session, "10.00").await.data(201);
            world
                .settle(&payout, "force-approve", &json!({}))
                .await
                .data(200);
            asked.push(payout);
        }
        let nonsense = json!({"tx_hash": "paid"});
        world
            .settle(&asked[0], "complete", &nonsense)
            .await
            .refused(422, "VALIDATION_ERROR");
        let hash = json!({"tx_hash": format!("0x{}", "1f".repeat(32))});
        world.settle(&asked[0], "complete", &hash).await.data(200);
        world
            .settle(&asked[1], "complete", &hash)
            .await
            .refused(422, "VALIDATION_ERROR");
        let paid = world
            .settle(&asked[1], "complete", &json!({}))
            .await
            .data(200);
        assert_eq!(paid["proof"], "NONE");
        assert_eq!(world.payouts_that_do_not_add_up(), "");
    });
}

#[test]
fn refund_after_the_request_stops_its_approval_and_later_commissions_fill_the_gap() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let asked = world.ask_payout(&session, "40.00").await.data(201);
        world.sql("UPDATE payouts SET approvable_at = now()");
        let sale = world.dev_of(CODE, "GET", "sales").send().await.json()["data"][0].clone();
        let path = format!(
            "/dev/v1/resellers/sales/{}/refund",
            sale["id"].as_str().unwrap()
        );
        let refund = world.call("POST", &path).key(&world.merchant_key());
        let refund = refund.json(&json!({"refund_ref": "R1", "amount": "100.00"}));
        refund.send().await.data(200);
        assert_eq!(
            sums(&world.account(&session).await),
            ["30.00", "0.00", "40.00", "-10.00"]
        );
        let stopped = world.settle(&asked, "approve", &json!({})).await;
        let stopped = stopped.refused(409, "INVALID_STATE");
        assert_eq!(
            stopped["details"][0],
            json!({"field": "above_available", "message": "10.00"})
        );
        world.earned(20).await;
        world.settle(&asked, "approve", &json!({})).await.data(200);
        assert_eq!(
            sums(&world.account(&session).await),
            ["50.00", "0.00", "40.00", "10.00"]
        );
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}

#[test]
fn manager_neither_forces_nor_pays() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let asked = world.ask_payout(&session, "10.00").await.data(201);
        world.sql("UPDATE payouts SET approvable_at = now()");
        world
            .member("manager@merchant.example", Role::Manager)
            .await;
        let manager = world.session("manager@merchant.example").await;
        let reseller = world.reseller(CODE).id;
        let act = async |verb: &str| {
            let id = asked["id"].as_str().unwrap();
            let path = format!("/dev/v1/resellers/{reseller}/payouts/{id}/{verb}");
            let call = world.as_member(&manager, "POST", &path).json(&json!({}));
            call.send().await
        };
        act("force-approve").await.refused(403, "FORBIDDEN");
        act("complete").await.refused(403, "FORBIDDEN");
        act("approve").await.data(200);
    });
}

#[test]
fn verification_is_handed_in_and_decided() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let none = world
            .mine(&session, "GET", "verification")
            .send()
            .await
            .data(200);
        assert_eq!(
            (&none["status"], &none["required"]),
            (&json!("UNVERIFIED"), &json!(false))
        );
        let details =
            json!({"legal_name": "Max Ltd", "country": "de", "contact": "max@partner.example"});
        let hand_in = async || {
            let call = world.mine(&session, "PUT", "verification").json(&details);
            call.send().await
        };
        let submitted = hand_in().await.data(200);
        assert_eq!(
            (&submitted["status"], &submitted["country"]),
            (&json!("SUBMITTED"), &json!("DE"))
        );
        hand_in().await.refused(409, "INVALID_STATE");
        let decide = async |verb: &str| {
            let path = format!("verification/{verb}");
            world
                .dev_of(CODE, "POST", &path)
                .json(&json!({}))
                .send()
                .await
        };
        decide("reset").await.refused(409, "INVALID_STATE");
        assert_eq!(decide("reject").await.data(200)["status"], "REJECTED");
        hand_in().await.data(200);
        assert_eq!(decide("approve").await.data(200)["status"], "VERIFIED");
        let again = decide("approve").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        world.sql("UPDATE programs SET require_verification = true");
        world.ask_payout(&session, "10.00").await.data(201);
        assert_eq!(decide("reset").await.data(200)["status"], "UNVERIFIED");
        world
            .ask_payout(&session, "10.00")
            .await
            .refused(403, "VERIFICATION_REQUIRED");
        let wrong = json!({"legal_name": "Max", "country": "Germany", "contact": "x"});
        let call = world.mine(&session, "PUT", "verification").json(&wrong);
        call.send().await.refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn cancelled_request_makes_no_address_known_and_ten_of_them_are_enough() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let known = || world.scalar("SELECT COUNT(*) FROM payout_addresses");
        for number in 0..10 {
            let asked = world.ask_payout(&session, "10.00").await.data(201);
            assert_eq!(known(), "1");
            let path = format!("payouts/{}/cancel", asked["id"].as_str().unwrap());
            world.mine(&session, "POST", &path).send().await.data(200);
            assert_eq!(known(), "0", "{number}");
        }
        world
            .ask_payout(&session, "10.00")
            .await
            .refused(409, "INVALID_STATE");
        let account = world.account(&session).await;
        assert_eq!(account["blocked_by"], json!(["TOO_MANY_UNPAID"]));
        world.sql("UPDATE payouts SET created_at = created_at - interval '25 hours'");
        let asked = world.ask_payout(&session, "10.00").await.data(201);
        world
            .settle(&asked, "force-approve", &json!({}))
            .await
            .data(200);
        world.settle(&asked, "complete", &json!({})).await.data(200);
        assert_eq!(known(), "1");
        assert_eq!(world.payouts_that_do_not_add_up(), "");
    });
}

#[test]
fn request_that_is_executed_again_reserves_once() {
    with_world(async |world| {
        world.earned(40).await;
        let session = reseller(world).await;
        let body =
            json!({"amount": "10.00", "asset": "USDC", "network": "BASE", "address": ADDRESS});
        let ask = async || {
            let call = world.mine(&session, "POST", "payouts").json(&body);
            call.header("idempotency-key", "the-same")
                .send()
                .await
                .data(201)
        };
        let first = ask().await;
        // As if the process had ended before it kept its answer.
        world.sql("DELETE FROM idempotency_keys");
        assert_eq!(ask().await["id"], first["id"]);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM payouts"), "1");
    });
}
