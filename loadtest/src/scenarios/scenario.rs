//! The scenarios: who orders what, how often, and which refusals belong to it.
//!
//! Keeps: a refusal that a scenario does not expect fails its run.

use anyhow::{Context as _, ensure};
use clap::ValueEnum;

use crate::{
    cast::{Cast, Demo, DemoReseller, Reseller},
    open::Repeat,
};

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
    pub(super) fn repeat(self) -> Repeat {
        match self {
            Self::RetryStorm => Repeat::After(3),
            Self::DuplicateStorm => Repeat::Twins(4),
            Self::Steady | Self::HotProduct | Self::HotReseller | Self::LowBalance => Repeat::Never,
        }
    }

    /// Refusals that belong to the scenario.
    pub(super) fn expects(self, code: &str) -> bool {
        self == Self::LowBalance && code == "402 INSUFFICIENT_BALANCE"
    }

    pub(super) fn cast(self, demo: &Demo) -> anyhow::Result<Cast> {
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
