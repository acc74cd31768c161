//! Money adds up: whatever customers, resellers and the merchant do, in whatever order, what is stored is
//! what an account kept beside it says.

use std::collections::BTreeMap;

use api::checkout::{carry_waiting, expire_due};
use chrono::TimeDelta;
use engine::{
    clock::{Clock as _, SystemClock},
    persons::Role,
    random::{Random, SeededRandom},
};
use serde_json::{Value, json};

use crate::{
    listings::LISTABLE,
    support::{Reply, World, order_of, with_world},
};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const ADDRESS: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const PRICE: i64 = 2999;
const GIFT_PRICE: i64 = 1000;
/// What a unit costs the reseller.
const WHOLESALE: i64 = 2549;
/// Hundredths of a percent.
const PERCENT: i64 = 1250;
const STEPS: usize = 60;

/// A part of an amount, rounded half-even.
fn part(amount: i64, of: i64, whole: i64) -> i64 {
    let (floor, rest) = ((amount * of) / whole, (amount * of) % whole);
    match (rest * 2).cmp(&whole) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + floor % 2,
    }
}

fn minor(text: &Value) -> i64 {
    let text = text.as_str().unwrap().replace('.', "");
    text.parse().unwrap()
}

fn dollars(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// One line of an invoice.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    units: i64,
    unit_price: i64,
    refunded: i64,
    reversed: i64,
}

impl Line {
    fn amount(self) -> i64 {
        self.units * self.unit_price
    }

    fn rest(self) -> i64 {
        self.amount() - self.refunded
    }
}

/// What one invoice is, by the account beside.
#[derive(Debug, Clone, Default)]
struct Bought {
    lines: Vec<Line>,
    attributed: bool,
    /// What its reseller pays for a unit of a listing.
    wholesale: Option<i64>,
    paid: bool,
    /// Its price went back before anything was delivered.
    over: bool,
}

impl Bought {
    fn sum(&self, of: impl Fn(&Line) -> i64) -> i64 {
        self.lines.iter().map(of).sum()
    }

    fn amount(&self) -> i64 {
        self.sum(|line| line.amount())
    }

    fn refunded(&self) -> i64 {
        self.sum(|line| line.refunded)
    }

    fn commission_of(&self, line: &Line) -> i64 {
        match (self.attributed && self.paid, self.wholesale) {
            (false, _) => 0,
            (true, None) => part(line.amount(), PERCENT, 10_000),
            (true, Some(cost)) => line.units * (line.unit_price - cost),
        }
    }

    fn commission(&self) -> i64 {
        self.sum(|line| self.commission_of(line))
    }

    /// Gives so much back: of one line, or of all as they stand.
    fn give_back(&mut self, amount: i64, of: Option<usize>) {
        let counts = |at: usize| of.is_none_or(|of| of == at);
        let lines = self.lines.iter().enumerate();
        let rests: Vec<_> = lines
            .map(|(at, line)| if counts(at) { line.rest() } else { 0 })
            .collect();
        let all: i64 = rests.iter().sum();
        let (mut before, mut given) = (0, 0);
        for (at, rest) in rests.into_iter().enumerate() {
            before += rest;
            let upto = part(amount, before, all);
            self.lines[at].refunded += upto - given;
            given = upto;
            let line = self.lines[at];
            let share = part(self.commission_of(&line), line.refunded, line.amount());
            self.lines[at].reversed = share.max(line.reversed);
        }
        assert_eq!(given, amount);
    }
}

/// The account beside.
#[derive(Debug, Default)]
struct Account {
    invoices: BTreeMap<String, Bought>,
    wholesale: i64,
    fulfilled: i64,
    paid_out: i64,
}

impl Account {
    /// Customers' payments, refunds, those of sales, commissions, reversals, wholesale, orders, payouts.
    fn sums(&self) -> [i64; 8] {
        let all = || self.invoices.values();
        [
            all().filter(|one| one.paid).map(Bought::amount).sum(),
            all().map(Bought::refunded).sum(),
            all()
                .filter(|one| one.attributed)
                .map(Bought::refunded)
                .sum(),
            all().map(Bought::commission).sum(),
            all().map(|one| one.sum(|line| line.reversed)).sum(),
            self.wholesale,
            self.fulfilled,
            self.paid_out,
        ]
    }

    fn units(&self) -> i64 {
        let all = self.invoices.values();
        let paid = all.filter(|one| one.paid && !one.over);
        paid.map(|one| one.sum(|line| line.units)).sum()
    }
}

/// The same sums from the rows.
fn stored(world: &World) -> Vec<i64> {
    let sums = world.scalar(
        "SELECT concat_ws(' ',
           (SELECT COALESCE(SUM(p.amount), 0) FROM payments AS p WHERE p.relationship_id IS NULL),
           (SELECT COALESCE(SUM(amount), 0) FROM invoice_refunds),
           (SELECT COALESCE(SUM(amount), 0) FROM sale_refunds),
           (SELECT COALESCE(SUM(commission), 0) FROM sales),
           (SELECT COALESCE(SUM(reversed), 0) FROM sales),
           (SELECT COALESCE(-SUM(l.amount), 0) FROM ledger_entries AS l
            WHERE EXISTS (SELECT FROM stock_requests AS r WHERE r.entry_id = l.id)),
           (SELECT COALESCE(-SUM(l.amount), 0) FROM ledger_entries AS l WHERE l.amount < 0
            AND NOT EXISTS (SELECT FROM stock_requests AS r WHERE r.entry_id = l.id)),
           (SELECT COALESCE(SUM(amount), 0) FROM payouts WHERE status = 'COMPLETED'))",
    );
    sums.split(' ').map(|sum| sum.parse().unwrap()).collect()
}

/// Rows that contradict each other: none.
fn contradictions(world: &World) -> String {
    world.scalar(
        "SELECT concat_ws(' ',
           (SELECT string_agg('paid ' || i.invoice_id, ' ') FROM invoices AS i
            WHERE i.purpose = 'CHECKOUT' AND (i.paid_at IS NOT NULL) <>
              (i.amount = (SELECT COALESCE(SUM(p.amount), 0) FROM payments AS p
                           WHERE p.invoice_id = i.invoice_id))),
           (SELECT string_agg('sold ' || l.line_id, ' ') FROM invoices AS i
            JOIN invoice_lines AS l ON l.invoice_id = i.invoice_id
            WHERE (SELECT COUNT(*) FROM sales AS s WHERE s.invoice_id = i.invoice_id AND s.place = l.place
                     AND s.amount = l.quantity * l.unit_price AND s.refunded = l.refunded)
              <> (i.paid_at IS NOT NULL AND l.relationship_id IS NOT NULL)::integer),
           (SELECT string_agg('given ' || i.invoice_id, ' ') FROM invoices AS i
            WHERE (SELECT COUNT(*) FROM sold_serials AS g WHERE g.invoice_id = i.invoice_id)
              <> CASE WHEN i.completed_at IS NULL THEN 0 ELSE
                (SELECT COALESCE(SUM(l.quantity) FILTER (WHERE NOT l.left_out), 0) FROM invoice_lines AS l
                 WHERE l.invoice_id = i.invoice_id) END),
           (SELECT string_agg('lines ' || i.invoice_id, ' ') FROM invoices AS i
            WHERE i.purpose = 'CHECKOUT' AND (i.amount, i.refunded) <>
              (SELECT SUM(l.quantity * l.unit_price), SUM(l.refunded) FROM invoice_lines AS l
               WHERE l.invoice_id = i.invoice_id)),
           (SELECT string_agg('refunded ' || i.invoice_id, ' ') FROM invoices AS i
            WHERE i.purpose = 'CHECKOUT' AND (i.refunded <> (
                SELECT COALESCE(SUM(r.amount), 0) FROM invoice_refunds AS r
                WHERE r.invoice_id = i.invoice_id)
              OR (i.status = 'REFUNDED') <> (i.refunded = i.amount))),
           (SELECT string_agg('kept ' || i.invoice_id, ' ') FROM reservations AS k
            JOIN invoice_lines AS l ON l.line_id = k.withdrawal_id
            JOIN invoices AS i ON i.invoice_id = l.invoice_id
            WHERE k.ended_at IS NULL
              AND i.status NOT IN ('OPEN', 'CONFIRMING', 'PAID', 'AWAITING_STOCK')),
           (SELECT string_agg('claimed ' || g.serial_id, ' ') FROM sold_serials AS g
            WHERE (SELECT COUNT(*) FROM serial_claims AS c WHERE c.serial_id = g.serial_id) <> 1))",
    )
}

/// Who acts, and the numbers that decide what happens.
struct Play<'a> {
    world: &'a World,
    random: SeededRandom,
    session: String,
    /// Of the same person, without a step-up.
    own: String,
    cookie: String,
    /// The listing, the page on which it is bought, and its price.
    listing: Value,
    page: String,
    price: i64,
    account: Account,
    step: usize,
}

impl Play<'_> {
    fn below(&self, bound: usize) -> usize {
        let mut byte = [0];
        self.random.fill(&mut byte);
        usize::from(byte[0]) % bound
    }

    /// One of the invoices, if there is one.
    fn some(&self) -> Option<(String, Bought)> {
        let count = self.account.invoices.len();
        let mut all = self.account.invoices.iter();
        let at = if count == 0 { 0 } else { self.below(count) };
        all.nth(at).map(|(id, one)| (id.clone(), one.clone()))
    }

    fn dev(
        &self,
        method: &'static str,
        path: &str,
        body: &Value,
    ) -> impl Future<Output = Reply> + use<> {
        let call = self.world.call(method, &format!("/dev/v1/{path}"));
        call.key(&self.world.merchant_key()).json(body).send()
    }

    async fn form(&self, path: &str, form: String, cookie: &str) -> Reply {
        let call = self.world.call("POST", path).header("cookie", cookie);
        call.body("application/x-www-form-urlencoded", form)
            .send()
            .await
    }

    /// Adds a gift card or two to a visit, and may think better of the rest.
    async fn fill(&self, visit: &str, lines: &mut Vec<Line>) {
        let gift = self.world.product("Gift").id;
        let units = self.below(2) + 1;
        let form = format!("product={gift}&quantity={units}");
        let added = self.form(&format!("{visit}/add"), form, "").await;
        assert_eq!(added.status, 303);
        lines.push(Line {
            units: i64::try_from(units).unwrap(),
            unit_price: GIFT_PRICE,
            ..Line::default()
        });
        if self.below(2) == 0 {
            let antivirus = self.world.product("Antivirus").id;
            let form = format!("quantity%5B{antivirus}%5D=1");
            let changed = self.form(&format!("{visit}/cart"), form, "").await;
            assert_eq!(changed.status, 303);
            lines[0].units = 1;
        }
    }

    /// By nobody, by a link, or at the price of the listing; one thing, or two.
    async fn buy(&mut self) {
        let product = self.world.product("Antivirus").id;
        let by = self.below(4);
        let units = self.below(4) + 1;
        let cookie = if by > 0 { self.cookie.as_str() } else { "" };
        let listed = by == 3;
        let path = if listed {
            self.page.clone()
        } else {
            format!("/checkout/p/{product}")
        };
        let form = format!("quantity={units}");
        let begun = self.world.send_form(&path, &form, cookie).await;
        let visit = begun.header("location").unwrap().to_owned();
        let mut lines = vec![Line {
            units: i64::try_from(units).unwrap(),
            unit_price: if listed { self.price } else { PRICE },
            ..Line::default()
        }];
        if !listed && self.below(2) == 0 {
            self.fill(&visit, &mut lines).await;
        }
        let form = format!("email=c{}%40example.com&coin=BANK", self.step);
        let yes = self.form(&visit, form, "").await;
        if yes.status != 303 {
            return;
        }
        let list = self.dev("GET", "invoices?purpose=checkout&limit=1", &json!({}));
        let invoice = list.await.data(200)[0].clone();
        let bought = Bought {
            lines,
            attributed: by > 0,
            wholesale: listed.then_some(WHOLESALE),
            ..Bought::default()
        };
        assert_eq!(minor(&invoice["amount"]), bought.amount());
        let id = invoice["id"].as_str().unwrap().to_owned();
        self.account.invoices.insert(id, bought);
    }

    /// The reseller asks another price.
    async fn reprice(&mut self) {
        self.price = 3000 + i64::try_from(self.below(200)).unwrap();
        let body = json!({"price": dollars(self.price)});
        let changed = self.world.change_listing(&self.own, &self.listing, &body);
        changed.await.data(200);
    }

    /// Paid in time, late, twice, or under one reference for two.
    async fn pay(&mut self) {
        let Some((id, bought)) = self.some() else {
            return;
        };
        let body = if self.below(4) == 0 {
            json!({"reference": "the same"})
        } else {
            json!({})
        };
        let paid = self
            .dev("POST", &format!("invoices/{id}/complete"), &body)
            .await;
        if paid.status == 200 {
            let bought = Bought {
                paid: true,
                ..bought
            };
            self.account.invoices.insert(id, bought);
        } else {
            let code = paid.json()["error"]["code"].clone();
            assert!(
                code == "ALREADY_EXISTS" || code == "INVALID_STATE",
                "{code}"
            );
        }
    }

    async fn cancel(&self) {
        let Some((id, bought)) = self.some() else {
            return;
        };
        let cancelled = self
            .dev("POST", &format!("invoices/{id}/cancel"), &json!({}))
            .await;
        assert!(
            !bought.paid || cancelled.status == 409,
            "a paid one was cancelled"
        );
    }

    async fn expire(&self) {
        let later = SystemClock.now() + TimeDelta::minutes(61);
        expire_due(self.world.server.app(), later).await.unwrap();
    }

    /// Half of what is left, or all of it.
    async fn refund(&mut self) {
        let Some((id, bought)) = self.some() else {
            return;
        };
        // The sale of one of its lines, if they made any.
        let at = self.below(bought.lines.len());
        let sale = self.world.scalar(&format!(
            "SELECT COALESCE((SELECT sale_id::text FROM sales
               WHERE external_invoice_id = '{id}' AND place = {at}), '')"
        ));
        let of = (!sale.is_empty() && self.below(2) == 0).then_some(at);
        let rest = match of {
            None => bought.amount() - bought.refunded(),
            Some(at) => bought.lines[at].rest(),
        };
        if !bought.paid || rest == 0 {
            return;
        }
        let amount = if self.below(2) == 0 {
            rest
        } else {
            (rest + 1) / 2
        };
        let found = self.dev("GET", &format!("invoices/{id}"), &json!({}));
        let given = found.await.data(200)["completed_at"].is_string();
        let body = json!({"amount": dollars(amount), "refund_ref": format!("r{}", self.step)});
        let path = if of.is_some() {
            let sale = engine::ids::SaleId::from_uuid(sale.parse().unwrap());
            format!("resellers/sales/{sale}/refund")
        } else {
            format!("invoices/{id}/refund")
        };
        self.dev("POST", &path, &body).await.data(200);
        let mut bought = bought;
        bought.give_back(amount, of);
        bought.over = bought.refunded() == bought.amount() && !given;
        self.account.invoices.insert(id, bought);
    }

    async fn approve(&self) {
        self.world
            .sql("UPDATE sales SET hold_until = now() WHERE commission_status = 'PENDING'");
        let now = SystemClock.now();
        api::sales::release_due(self.world.server.app(), now)
            .await
            .unwrap();
    }

    async fn wholesale(&mut self) {
        let bought = self.world.buy_stock(CODE, "Antivirus", 1).await;
        if bought.status == 201 {
            self.account.wholesale += minor(&bought.data(201)["total"]);
        }
    }

    async fn fulfil(&mut self) {
        let order = order_of(
            &format!("MONEY-{}", self.step / 2),
            self.world.product("Gift"),
        );
        let reply = self.world.order(&self.world.key(CODE), &order).await;
        if reply.status == 201 {
            self.account.fulfilled += minor(&reply.data(201)["total"]);
        }
    }

    async fn payout(&mut self) {
        let relationship = self.world.reseller(CODE).id;
        let path = format!("/programs/{relationship}/payouts");
        let body =
            json!({"amount": "5.00", "asset": "usdc", "network": "base", "address": ADDRESS});
        let call = self
            .world
            .page("POST", &path)
            .header("cookie", &self.session);
        let asked = call.json(&body).send().await;
        if asked.status != 201 {
            assert_eq!(asked.json()["error"]["code"], "AMOUNT_OUT_OF_RANGE");
            return;
        }
        self.world.sql("UPDATE payouts SET approvable_at = now()");
        let id = asked.data(201)["id"].as_str().unwrap().to_owned();
        let payout = format!("resellers/{relationship}/payouts/{id}");
        let nothing = json!({});
        self.dev("POST", &format!("{payout}/approve"), &nothing)
            .await
            .data(200);
        self.dev("POST", &format!("{payout}/complete"), &nothing)
            .await
            .data(200);
        self.account.paid_out += 500;
    }

    async fn next(&mut self) {
        match self.below(13) {
            0..=3 => self.buy().await,
            4 | 5 => self.pay().await,
            6 => self.cancel().await,
            7 => self.expire().await,
            8 => self.refund().await,
            9 => self.approve().await,
            10 if self.below(2) == 0 => self.wholesale().await,
            10 => self.fulfil().await,
            11 => self.reprice().await,
            _ => self.payout().await,
        }
        self.step += 1;
    }
}

async fn play(world: &World, seed: u64) {
    world.sql("UPDATE merchants SET rate_limit_factor = 1000000");
    world.sql(&format!(
        "UPDATE programs SET commission_percent = {PERCENT}, min_payout = 500,
           payout_assets = '[{{\"asset\": \"USDC\", \"network\": \"BASE\"}}]'"
    ));
    world.sql("UPDATE merchants SET storefront_url = 'https://shop.example/'");
    world.member("owner@merchant.example", Role::Owner).await;
    world.sql(LISTABLE);
    let own = world.as_reseller(CODE, EMAIL).await;
    let listing = world.list_at(&own, "Antivirus", "39.99").await.data(201);
    let page = world.page_of(&own, &listing).await;
    let mut play = Play {
        world,
        random: SeededRandom::new(seed),
        session: world.stepped_up(EMAIL).await,
        own,
        listing,
        page,
        price: 3999,
        cookie: format!("consign_ref={}", world.token(CODE).await),
        account: Account::default(),
        step: 0,
    };
    for _ in 0..STEPS {
        play.next().await;
        // A network has ten open invoices at most, and this one plays everybody.
        world.sql("UPDATE invoices SET address_digest = sha256(invoice_id::text::bytea)");
        assert_eq!(
            stored(world),
            play.account.sums(),
            "seed {seed}, step {}",
            play.step
        );
    }
    let later = SystemClock.now() + TimeDelta::minutes(2);
    carry_waiting(world.server.app(), later).await.unwrap();
    assert_eq!(contradictions(world), "", "seed {seed}");
    assert_eq!(world.earnings_that_do_not_add_up(), "", "seed {seed}");
    let claimed = world.scalar("SELECT COUNT(*) FROM sold_serials");
    assert_eq!(claimed, play.account.units().to_string(), "seed {seed}");
    let balance = world.balance(&world.key(CODE)).await;
    let funded: i64 = world
        .scalar(
            "SELECT SUM(l.amount) FROM ledger_entries AS l
             JOIN balances AS b ON b.balance_id = l.balance_id AND NOT b.test
             JOIN relationships AS r ON r.relationship_id = b.relationship_id
             WHERE l.amount > 0 AND r.code = 'demo-both'",
        )
        .parse()
        .unwrap();
    let spent = play.account.wholesale + play.account.fulfilled;
    assert_eq!(minor(&balance["balance"]), funded - spent, "seed {seed}");
}

#[test]
fn whatever_happens_the_money_adds_up() {
    for seed in [1, 2, 3] {
        with_world(async |world| play(world, seed).await);
    }
}

#[test]
fn parts_are_rounded_to_the_even_neighbour() {
    for (amount, of, rounded) in [
        (25, 1000, 2),
        (35, 1000, 4),
        (1998, 1250, 250),
        (0, 1250, 0),
    ] {
        assert_eq!(part(amount, of, 10_000), rounded);
    }
}
