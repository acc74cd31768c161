//! `loadtest run`: one scenario in open loop against a running `consign dev`, audited afterwards.
//!
//! Keeps: bounded in time and count; loopback only; a run whose audit fails ends with an error.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};

use crate::{
    auditor,
    cast::{Cast, Demo, DemoReseller, Reseller},
    open::{self, Open, Outcome, Repeat},
    report::say,
    schedule::Pace,
    target,
};

#[derive(Args)]
pub(crate) struct Arguments {
    #[arg(long, value_enum, default_value = "steady")]
    scenario: Scenario,
    #[arg(long, default_value = ".consign/demo.json")]
    demo: PathBuf,
    /// Requests a second.
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    #[arg(long, value_enum, default_value = "poisson")]
    pace: Pace,
    #[arg(long, default_value_t = 2)]
    warm_up_seconds: u64,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long, default_value_t = 512)]
    in_flight_max: usize,
    #[arg(long, default_value_t = 1_000_000)]
    requests_max: u64,
    /// Skips the audit, for a server whose database is out of reach.
    #[arg(long)]
    no_audit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Scenario {
    /// Many resellers, many products.
    Steady,
    /// Everybody sells one product.
    HotProduct,
    /// One reseller sells everything it may.
    HotReseller,
    /// The poorest active reseller of the demo, until its money is gone.
    LowBalance,
    /// Each order is sent three more times after its answer.
    RetryStorm,
    /// Each order is sent four times at once.
    DuplicateStorm,
}

impl Scenario {
    fn repeat(self) -> Repeat {
        match self {
            Self::RetryStorm => Repeat::After(3),
            Self::DuplicateStorm => Repeat::Twins(4),
            Self::Steady | Self::HotProduct | Self::HotReseller | Self::LowBalance => Repeat::Never,
        }
    }

    /// Refusals that belong to the scenario.
    fn expects(self, code: &str) -> bool {
        self == Self::LowBalance && code == "402 INSUFFICIENT_BALANCE"
    }

    fn cast(self, demo: &Demo) -> anyhow::Result<Cast> {
        let cast = demo.cast();
        ensure!(
            !cast.resellers.is_empty(),
            "the demo has no active reseller"
        );
        match self {
            Self::Steady | Self::RetryStorm | Self::DuplicateStorm => Ok(cast),
            Self::HotProduct => cast.one_product(),
            Self::HotReseller => Ok(cast.one_reseller()),
            Self::LowBalance => poorest(demo),
        }
    }
}

fn poorest(demo: &Demo) -> anyhow::Result<Cast> {
    let minor = |reseller: &&DemoReseller| {
        let balance = reseller.balance.as_deref().unwrap_or_default();
        balance.replace('.', "").parse::<u64>().unwrap_or(u64::MAX)
    };
    let active = demo
        .resellers
        .iter()
        .filter(|reseller| reseller.status == "ACTIVE");
    let reseller = active
        .min_by_key(minor)
        .context("the demo has no active reseller")?;
    Ok(Cast {
        resellers: vec![Reseller {
            relationship_id: reseller.relationship_id.clone(),
            key: reseller.key.clone(),
            product_ids: demo
                .products
                .iter()
                .map(|product| product.product_id.clone())
                .collect(),
        }],
        products: demo.products.clone(),
        hot: None,
    })
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let demo = Demo::read(&arguments.demo)?;
    let cast = arguments.scenario.cast(&demo)?;
    let run = format!("l{}", chrono::Utc::now().timestamp_millis());
    let outcome = open::run(Open {
        target: target::parse(&demo.base_url)?,
        cast: Arc::new(cast),
        pace: arguments.pace,
        per_second: arguments.rate,
        warm_up: Duration::from_secs(arguments.warm_up_seconds),
        measured: Duration::from_secs(arguments.seconds),
        in_flight_max: arguments.in_flight_max,
        requests_max: arguments.requests_max,
        repeat: arguments.scenario.repeat(),
        run,
    })?;
    tell(arguments, &outcome);
    if !arguments.no_audit {
        judge(&demo.database_url, &outcome)?;
    }
    let unexpected = outcome
        .recorder
        .refused
        .keys()
        .find(|code| !arguments.scenario.expects(code));
    if let Some(code) = unexpected {
        bail!("answers the scenario does not expect, such as `{code}`");
    }
    ensure!(
        outcome.recorder.failures() == 0,
        "requests without an answer"
    );
    Ok(())
}

fn tell(arguments: &Arguments, outcome: &Outcome) {
    let recorder = &outcome.recorder;
    say(&format!(
        "{:?} at {} a second for {} s: {} answers, {} delivered, {} replayed, {} refused, {} failed",
        arguments.scenario,
        arguments.rate,
        arguments.seconds,
        recorder.samples(),
        recorder.delivered,
        recorder.replayed,
        recorder.refusals(),
        recorder.failures()
    ));
    say(&format!(
        "latency from the intended time: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms; \
         {} requests found all {} connections busy",
        recorder.quantile_ms(0.5),
        recorder.quantile_ms(0.99),
        recorder.quantile_ms(0.999),
        recorder.quantile_ms(1.0),
        outcome.capped,
        arguments.in_flight_max
    ));
    for (code, count) in &recorder.refused {
        say(&format!("  {count} x {code}"));
    }
    for (failure, count) in &recorder.failed {
        say(&format!("  {count} x {failure}"));
    }
}

fn judge(database_url: &str, outcome: &Outcome) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let histories: Vec<_> = outcome.history.iter().cloned().collect();
    let verdict = runtime.block_on(auditor::audit(database_url, "run", &histories))?;
    for point in &verdict.points {
        let found = match point.violations {
            0 => "holds".to_owned(),
            count => format!("{count} VIOLATIONS"),
        };
        say(&format!("audit: {}: {found}", point.name));
    }
    say(&format!(
        "audit: {} answered as delivered, {} orders stored",
        verdict.acknowledged, verdict.entries
    ));
    ensure!(verdict.good(), "the audit found violations");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> Demo {
        serde_json::from_value(serde_json::json!({
            "base_url": "http://127.0.0.1:1", "database_url": "postgres:///x",
            "merchant": {"id": "mer_1"},
            "resellers": [
                {"relationship_id": "rel_1", "status": "ACTIVE", "key": "rich", "balance": "100.00"},
                {"relationship_id": "rel_2", "status": "ACTIVE", "key": "poor", "balance": "3.02"},
                {"relationship_id": "rel_3", "status": "SUSPENDED", "key": "gone", "balance": "0.00"}],
            "products": [{"product_id": "prd_1", "title": "x"}]
        }))
        .unwrap()
    }

    #[test]
    fn low_balance_takes_the_poorest_who_may_sell() {
        let cast = Scenario::LowBalance.cast(&demo()).unwrap();
        assert_eq!(cast.resellers.len(), 1);
        assert_eq!(cast.resellers[0].key, "poor");
    }

    #[test]
    fn steady_leaves_out_who_may_not_sell() {
        let cast = Scenario::Steady.cast(&demo()).unwrap();
        assert_eq!(cast.resellers.len(), 2);
    }

    #[test]
    fn only_low_balance_expects_refusals() {
        assert!(Scenario::LowBalance.expects("402 INSUFFICIENT_BALANCE"));
        assert!(!Scenario::Steady.expects("402 INSUFFICIENT_BALANCE"));
        assert!(!Scenario::LowBalance.expects("409 OUT_OF_STOCK"));
    }
}
