//! The merchant, who changes its terms while its resellers sell.
//!
//! Keeps: every change is sent until it is acknowledged, and what was taken away is given back, at the
//! end too. One hand holds the resellers and the other the products, so that changes overlap.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::ensure;
use auditor::{Answer, Change};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Street, ask, hear,
    line::{Record, RunClock, Wire},
    stage::{Merchant, Reseller, Ware},
};
use crate::schedule::Dice;

/// Clients of shops have lower numbers.
const FIRST_CLIENT: u32 = 1 << 24;
const PATIENCE: Duration = Duration::from_secs(9);
/// Between an answer that acknowledged nothing and the next attempt.
const REST: Duration = Duration::from_millis(30);
/// How long terms stand at most before they are changed again.
const STAND_MILLIS_MAX: usize = 300;
/// The program is switched off once in so many changes of products.
const PROGRAM: usize = 16;
/// A key is taken out of force once in so many changes of resellers.
const REVOCATION: usize = 24;
const CENTS: std::ops::Range<usize> = 80..130;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Resellers,
    Products,
}

pub(super) struct Hand {
    street: Arc<Street>,
    merchant: Merchant,
    holds: Holds,
    dice: Dice,
    record: Record,
    wire: Wire,
    resellers: Vec<Reseller>,
    /// Whose keys are still to be taken.
    revocable: Vec<Reseller>,
    products: Vec<Ware>,
}

/// One change, as it is judged and as it is sent.
struct Step {
    change: Change,
    method: &'static str,
    path: String,
    body: Value,
}

impl Hand {
    pub(super) fn both(
        street: &Arc<Street>,
        merchant: &Merchant,
        clock: RunClock,
    ) -> anyhow::Result<Vec<Self>> {
        let hands = [(0, Holds::Resellers), (1, Holds::Products)].into_iter();
        hands
            .map(|(number, holds)| Self::new(street, merchant, (number, holds), clock))
            .collect()
    }

    fn new(
        street: &Arc<Street>,
        merchant: &Merchant,
        (number, holds): (u32, Holds),
        clock: RunClock,
    ) -> anyhow::Result<Self> {
        let stage = &street.stage;
        let with_plenty = stage.resellers.iter().filter(|one| !one.thin).cloned();
        let (revocable, resellers): (Vec<_>, Vec<_>) = with_plenty.partition(|one| one.revocable);
        let mut products: Vec<Ware> = resellers
            .iter()
            .flat_map(|one| one.wares.iter().cloned())
            .collect();
        products.sort_by(|a, b| a.product.cmp(&b.product));
        products.dedup_by(|a, b| a.product == b.product);
        ensure!(
            products.iter().all(|ware| ware.variant.is_none()),
            "the load cast has no variants"
        );
        let path = stage.histories.join(format!("merchant-{number}.jsonl"));
        Ok(Self {
            street: Arc::clone(street),
            merchant: merchant.clone(),
            holds,
            dice: Dice::new(stage.seed ^ 0x5445_524d ^ u64::from(number)),
            record: Record::create(&path, FIRST_CLIENT + number, clock)?,
            wire: Wire::new(Arc::clone(stage), number as usize),
            resellers,
            revocable,
            products,
        })
    }

    /// Changes and gives back until the shops close.
    pub(super) async fn rule(mut self) -> anyhow::Result<()> {
        while !self.street.closing.load(Ordering::SeqCst) {
            if !self.wire.ready().await {
                continue;
            }
            let steps = match self.holds {
                Holds::Resellers => self.of_a_reseller()?,
                Holds::Products => self.of_a_product()?,
            };
            for step in &steps {
                self.make(step).await?;
                let stand = 10 + self.dice.below(STAND_MILLIS_MAX) as u64;
                sleep(Duration::from_millis(stand)).await;
            }
        }
        Ok(())
    }

    fn of_a_reseller(&mut self) -> anyhow::Result<Vec<Step>> {
        if !self.revocable.is_empty() && self.dice.below(REVOCATION) == 0 {
            let place = self.dice.below(self.revocable.len());
            return Ok(vec![revoked(&self.revocable.swap_remove(place))?]);
        }
        let reseller = &self.resellers[self.dice.below(self.resellers.len())];
        match self.dice.below(3) {
            0 => [false, true]
                .map(|active| relationship(reseller, active))
                .into_iter()
                .collect(),
            1 => {
                let without = self.dice.below(reseller.wares.len());
                [false, true]
                    .map(|allowed| access(reseller, without, allowed))
                    .into_iter()
                    .collect()
            }
            _ => {
                let daily = i64::try_from(100 + self.dice.below(1_000_000))?;
                [Some(daily), None]
                    .map(|daily| limits(reseller, daily))
                    .into_iter()
                    .collect()
            }
        }
    }

    fn of_a_product(&mut self) -> anyhow::Result<Vec<Step>> {
        if self.dice.below(PROGRAM) == 0 {
            let steps = [false, true].map(|enabled| program(&self.merchant, enabled));
            return steps.into_iter().collect();
        }
        let ware = &self.products[self.dice.below(self.products.len())];
        if self.dice.below(2) == 0 {
            let cents = CENTS.start + self.dice.below(CENTS.len());
            return Ok(vec![price(ware, i64::try_from(cents)?)?]);
        }
        let steps = [false, true].map(|on| offered(ware, on));
        steps.into_iter().collect()
    }

    /// Sends a change until it is acknowledged.
    async fn make(&mut self, step: &Step) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut heard = None;
        let body = step.body.to_string();
        let request = ask::with_body(step.method, &step.path, &self.merchant.key, &body);
        while begun.elapsed() < self.street.stage.heal_within {
            if !self.wire.ready().await {
                continue;
            }
            let sent = self.record.changing(&step.change)?;
            let answer = self.wire.call(&request, PATIENCE).await;
            let at = self.record.clock().now();
            if let Some((status, body)) = answer {
                let answer = hear::changed(status, &body);
                self.record.answered(sent, at, answer.clone())?;
                if answer == Answer::Changed {
                    return Ok(());
                }
                heard = Some(answer);
                self.wire.turn_away();
            }
            sleep(REST).await;
        }
        anyhow::bail!(
            "{} {} was not acknowledged; last: {heard:?}",
            step.method,
            step.path
        )
    }
}

fn revoked(reseller: &Reseller) -> anyhow::Result<Step> {
    Ok(Step {
        change: Change::KeyRevoked {
            key: reseller.key_id()?,
        },
        method: "POST",
        path: format!(
            "/dev/v1/resellers/{}/api-keys/{}/revoke",
            reseller.relationship,
            reseller.key_name()
        ),
        body: json!({"reason": "lost"}),
    })
}

fn relationship(reseller: &Reseller, active: bool) -> anyhow::Result<Step> {
    let verb = if active { "reactivate" } else { "suspend" };
    Ok(Step {
        change: Change::Relationship {
            relationship: reseller.account()?.relationship,
            active,
        },
        method: "POST",
        path: format!("/dev/v1/resellers/{}/{verb}", reseller.relationship),
        body: json!({"reason": "a look at the books"}),
    })
}

/// Access to all products of a reseller, or to all but one.
fn access(reseller: &Reseller, without: usize, allowed: bool) -> anyhow::Result<Step> {
    let places = 0..reseller.wares.len();
    let kept: Vec<&str> = places
        .filter(|place| allowed || *place != without)
        .map(|place| reseller.wares[place].product.as_str())
        .collect();
    Ok(Step {
        change: Change::Access {
            relationship: reseller.account()?.relationship,
            sku: reseller.wares[without].sku()?,
            allowed,
        },
        method: "PATCH",
        path: format!("/dev/v1/resellers/{}", reseller.relationship),
        body: json!({ "product_ids": kept }),
    })
}

fn limits(reseller: &Reseller, daily: Option<i64>) -> anyhow::Result<Step> {
    Ok(Step {
        change: Change::PurchaseLimits {
            relationship: reseller.account()?.relationship,
            daily,
            monthly: None,
        },
        method: "PATCH",
        path: format!("/dev/v1/resellers/{}", reseller.relationship),
        body: json!({ "purchase_limit_daily": daily.map(decimal) }),
    })
}

fn program(merchant: &Merchant, enabled: bool) -> anyhow::Result<Step> {
    Ok(Step {
        change: Change::Program {
            merchant: merchant.id()?,
            enabled,
        },
        method: "PATCH",
        path: "/dev/v1/reseller-program".to_owned(),
        body: json!({ "is_enabled": enabled }),
    })
}

fn offered(ware: &Ware, on: bool) -> anyhow::Result<Step> {
    Ok(Step {
        change: Change::Offered {
            sku: ware.sku()?,
            on,
        },
        method: "PATCH",
        path: format!("/dev/v1/products/{}", ware.product),
        body: json!({"status": if on { "ACTIVE" } else { "DISABLED" }}),
    })
}

fn price(ware: &Ware, unit_price: i64) -> anyhow::Result<Step> {
    Ok(Step {
        change: Change::Price {
            sku: ware.sku()?,
            unit_price,
        },
        method: "PATCH",
        path: format!("/dev/v1/products/{}", ware.product),
        body: json!({ "base_price": decimal(unit_price) }),
    })
}

fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
