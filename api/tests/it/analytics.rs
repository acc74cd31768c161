//! Figures of resellers: whatever time they are asked over, they are the sums of the rows.

use chrono::{DateTime, TimeDelta, Utc};
use engine::random::{Random as _, SeededRandom};
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

const CODE: &str = "demo-both";
/// Numbers the times that are asked for: any.
const SEED: u64 = 41;
const TRIES: usize = 12;
const AMOUNTS: [&str; 6] = [
    "revenue",
    "commission_pending",
    "commission_approved",
    "commission_reversed",
    "paid_out",
    "wholesale_spend",
];
const COUNTS: [&str; 4] = ["fulfillments", "units", "stock_assigned", "burned_units"];

/// The same figures of one reseller or of all, each by a statement of its own, in minor units.
const BY_HAND: &str = "
SELECT jsonb_build_object(
  'revenue', (SELECT COALESCE(SUM(amount - discount - refunded), 0) FROM sales
    WHERE sold_at >= 'FROM' AND sold_at < 'TO' AND relationship_id IN (WHOSE)),
  'commission_pending', (SELECT COALESCE(SUM(commission - reversed), 0) FROM sales
    WHERE commission_status = 'PENDING' AND sold_at >= 'FROM' AND sold_at < 'TO'
      AND relationship_id IN (WHOSE)),
  'commission_approved', (SELECT COALESCE(SUM(commission - reversed), 0) FROM sales
    WHERE commission_status = 'APPROVED' AND sold_at >= 'FROM' AND sold_at < 'TO'
      AND relationship_id IN (WHOSE)),
  'commission_reversed', (SELECT COALESCE(SUM(reversed), 0) FROM sales
    WHERE sold_at >= 'FROM' AND sold_at < 'TO' AND relationship_id IN (WHOSE)),
  'paid_out', (SELECT COALESCE(SUM(amount), 0) FROM payouts
    WHERE completed_at >= 'FROM' AND completed_at < 'TO' AND relationship_id IN (WHOSE)),
  'wholesale_spend', (SELECT COALESCE(-SUM(e.amount), 0) FROM ledger_entries AS e
    JOIN balances AS b ON b.balance_id = e.balance_id
    WHERE e.kind = 1 AND NOT b.test AND e.created_at >= 'FROM' AND e.created_at < 'TO'
      AND b.relationship_id IN (WHOSE)),
  'fulfillments', (SELECT COUNT(*) FROM ledger_entries AS e
    JOIN balances AS b ON b.balance_id = e.balance_id
    WHERE e.kind = 1 AND e.channel <> 7 AND NOT b.test AND e.created_at >= 'FROM'
      AND e.created_at < 'TO' AND b.relationship_id IN (WHOSE)),
  'units', (SELECT COALESCE(SUM(CARDINALITY(e.serial_ids)), 0) FROM ledger_entries AS e
    JOIN balances AS b ON b.balance_id = e.balance_id
    WHERE e.kind = 1 AND e.channel <> 7 AND NOT b.test AND e.created_at >= 'FROM'
      AND e.created_at < 'TO' AND b.relationship_id IN (WHOSE)),
  'stock_assigned', (SELECT COUNT(*) FROM inventory_items
    WHERE created_at >= 'FROM' AND created_at < 'TO' AND relationship_id IN (WHOSE)),
  'burned_units', (SELECT COUNT(*) FROM replacements
    WHERE status IN ('ISSUED', 'CREDITED') AND NOT test AND updated_at >= 'FROM'
      AND updated_at < 'TO' AND relationship_id IN (WHOSE)))";

fn minor(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// Amounts in minor units and counts, by name.
fn figures(view: &Value) -> Value {
    let mut all = json!({});
    for name in AMOUNTS {
        all[name] = json!(minor(&view[name]));
    }
    for name in COUNTS {
        all[name] = view[name].clone();
    }
    all
}

/// The sums over all parts of a list, of everything or of some figures.
fn summed(parts: &Value, names: &[&str]) -> Value {
    let mut sums = json!({});
    for name in names {
        let parts = parts.as_array().unwrap().iter().map(figures);
        let sum: i64 = parts.map(|part| part[name].as_i64().unwrap()).sum();
        sums[*name] = json!(sum);
    }
    sums
}

fn some(figures: &Value, names: &[&str]) -> Value {
    let mut some = json!({});
    for name in names {
        some[*name] = figures[*name].clone();
    }
    some
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

impl World {
    async fn analytics(&self, path: &str) -> Reply {
        let call = self.call("GET", &format!("/dev/v1/resellers/{path}"));
        call.key(&self.merchant_key()).send().await
    }

    /// Orders, wholesale, sales, refunds, a payout and a bad serial, spread over forty days before `end`.
    async fn busy(&self, end: DateTime<Utc>) {
        self.selling();
        for (at, code) in ["demo-both", "demo-stock", "demo-both"]
            .into_iter()
            .enumerate()
        {
            for title in ["Antivirus", "Closed beta"] {
                let mut order = order_of(&format!("WOO-{at}-{title}"), self.product(title));
                // Of the closed beta there are three.
                let many = if title == "Antivirus" { at + 1 } else { 1 };
                order["quantity"] = json!(many);
                self.order(&self.key(code), &order).await.data(201);
            }
        }
        let tried = order_of("TRY-1", self.product("Antivirus"));
        self.order(&self.test_key(CODE), &tried).await.data(201);
        self.buy_stock(CODE, "Antivirus", 3).await.data(201);
        let token = self.token(CODE).await;
        for at in 0..4 {
            let more = json!({"discount": "1.00", "tax": "0.50"});
            let sale = self
                .report(&token, &format!("INV-{at}"), more)
                .await
                .data(201);
            if at % 2 == 0 {
                let path = format!(
                    "/dev/v1/resellers/sales/{}/refund",
                    sale["id"].as_str().unwrap()
                );
                let refund = self.call("POST", &path).key(&self.merchant_key());
                let refund =
                    refund.json(&json!({"amount": "3.00", "refund_ref": format!("R-{at}")}));
                refund.send().await.data(200);
            }
        }
        self.payout_of(CODE);
        self.sql("UPDATE payouts SET status = 'COMPLETED', completed_at = now()");
        self.burn().await;
        // Each some days before the one after it, and a ledger in the order of its versions.
        let end = text(end);
        self.sql(&format!(
            "UPDATE ledger_entries SET created_at = '{end}'::timestamptz - (12 - version) * interval '80 hours';
             UPDATE sales AS s SET sold_at = '{end}'::timestamptz - n.place * interval '9 days'
               FROM (SELECT sale_id, ROW_NUMBER() OVER (ORDER BY sale_id) AS place FROM sales) AS n
               WHERE n.sale_id = s.sale_id;
             UPDATE sales SET commission_status = 'APPROVED', approved_at = now()
               WHERE sale_id = (SELECT MAX(sale_id::text)::uuid FROM sales);
             UPDATE payouts SET completed_at = '{end}'::timestamptz - interval '11 days';
             UPDATE inventory_items SET created_at = '{end}'::timestamptz - number * interval '5 days';
             UPDATE replacements SET updated_at = '{end}'::timestamptz - interval '20 days'"
        ));
    }

    /// A delivered serial that is replaced.
    async fn burn(&self) {
        let order = order_of("WOO-BAD", self.product("Antivirus"));
        let sold = self.order(&self.key(CODE), &order).await.data(201);
        let item = &sold["lines"][0]["items"][0]["id"];
        let path = format!(
            "/reseller/v1/fulfillments/{}/items/{}/replacements",
            sold["id"].as_str().unwrap(),
            item.as_str().unwrap()
        );
        let asked = self.call("POST", &path).key(&self.key(CODE));
        let asked = asked
            .json(&json!({"reason": "USED"}))
            .send()
            .await
            .data(201);
        let path = format!("replacements/{}/issue", asked["id"].as_str().unwrap());
        let issue = self.call("POST", &format!("/dev/v1/resellers/{path}"));
        let issue = issue.key(&self.merchant_key());
        if asked["status"] == "REQUESTED" {
            issue.send().await.data(200);
        }
    }

    fn by_hand(&self, whose: &str, (from, to): (&str, &str)) -> Value {
        let query = BY_HAND.replace("WHOSE", whose);
        let query = query.replace("FROM'", &format!("{from}'"));
        let found = self.scalar(&query.replace("TO'", &format!("{to}'")));
        serde_json::from_str(&found).unwrap()
    }
}

#[test]
fn sums_over_any_time_are_those_of_the_rows() {
    with_world(async |world| {
        let end: DateTime<Utc> = "2026-03-03T10:30:00Z".parse().unwrap();
        world.busy(end).await;
        let one = world.reseller(CODE).id;
        let (merchant, of_one) = (world.cast.merchant.uuid(), one.uuid());
        let all =
            format!("SELECT relationship_id FROM relationships WHERE merchant_id = '{merchant}'");
        let random = SeededRandom::new(SEED);
        let drawn = move |below: i64| {
            let mut bytes = [0; 4];
            random.fill(&mut bytes);
            i64::from(u32::from_le_bytes(bytes)) % below
        };
        let mut seen = json!({});
        for turn in 0..TRIES {
            let to = end + TimeDelta::minutes(drawn(60));
            let from = to - TimeDelta::minutes(1 + drawn(60 * 24 * 60));
            let (from, to) = (text(from), text(to));
            let interval = ["day", "week", "month"][turn % 3];
            let query = format!("from={from}&to={to}&interval={interval}");
            let told = world
                .analytics(&format!("analytics?{query}"))
                .await
                .data(200);
            let totals = figures(&told["totals"]);
            assert_eq!(totals, world.by_hand(&all, (&from, &to)), "{query}");
            let every: Vec<_> = AMOUNTS.into_iter().chain(COUNTS).collect();
            assert_eq!(summed(&told["series"], &every), totals, "{query}");
            assert_eq!(summed(&told["by_reseller"], &every), totals, "{query}");
            // A payout is of no product, and an order may be of several.
            let of_products = [
                "revenue",
                "wholesale_spend",
                "units",
                "stock_assigned",
                "burned_units",
            ];
            let products = summed(&told["by_product"], &of_products);
            assert_eq!(products, some(&totals, &of_products), "{query}");

            let path = format!("{one}/analytics?{query}");
            let alone = world.analytics(&path).await.data(200);
            let by_hand = world.by_hand(&format!("'{of_one}'"), (&from, &to));
            assert_eq!(figures(&alone["totals"]), by_hand, "{query}");
            for name in every {
                if totals[name] != json!(0) {
                    seen[name] = json!(true);
                }
            }
        }
        // The times that were drawn said something about every figure.
        assert_eq!(
            seen.as_object().unwrap().len(),
            AMOUNTS.len() + COUNTS.len(),
            "{seen}"
        );
    });
}

#[test]
fn parts_are_there_where_nothing_happened_and_wrong_times_are_refused() {
    with_world(async |world| {
        let quiet = "analytics?from=2024-02-01T00:00:00Z&to=2024-02-03T00:00:00Z";
        let told = world.analytics(quiet).await.data(200);
        let dates: Vec<_> = told["series"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| &part["date"])
            .collect();
        assert_eq!(dates, ["2024-02-01", "2024-02-02"]);
        assert_eq!(told["series"][0]["revenue"], "0.00");
        assert_eq!(
            (&told["by_product"], &told["by_reseller"]),
            (&json!([]), &json!([]))
        );
        for wrong in [
            "from=2024-02-03T00:00:00Z&to=2024-02-01T00:00:00Z",
            "from=2024-01-01T00:00:00Z&to=2025-01-02T00:00:00Z",
            "from=yesterday",
            "interval=hour",
        ] {
            let refused = world.analytics(&format!("analytics?{wrong}")).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
    });
}
