//! A reseller or a merchant whose keys somebody looks at.
//!
//! Keeps: keys are shown and ended although the balance is unwell. What they spent is then unknown.

use engine::{
    balances::Spending, clock::Timestamp, ids::RelationshipId, merchants::Merchant, money::Currency,
};
use persistence::{api_keys::StoredKey, relationships};

use super::{Key, LastUse, SpentToday, spent_today};
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// Whose keys are shown, with what they spent today.
pub(super) struct Owner {
    currency: Currency,
    spending: Option<Spending>,
}

impl Owner {
    /// The reseller of this merchant, or 404.
    pub(super) async fn find(
        app: &App,
        merchant: &Merchant,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        let scope =
            relationships::find::find_scope(&app.database, merchant.id, relationship, false)
                .await?;
        let scope = scope.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let balance = app.engine.balance(scope).await;
        let spending = balance.inspect_err(|fault| {
            tracing::warn!(relationship.id = %relationship, "cannot tell what keys spent: {fault}");
        });
        Ok(Self {
            currency: merchant.currency,
            spending: spending.ok().map(|balance| balance.spending),
        })
    }

    /// A merchant itself, whose keys spend nothing.
    pub(super) fn of_merchant(merchant: &Merchant) -> Self {
        Self {
            currency: merchant.currency,
            spending: None,
        }
    }

    pub(super) fn show(&self, stored: &StoredKey, now: Timestamp) -> Key {
        let spent = self.spending.as_ref();
        let spent = spent.map(|spending| spent_today(spending, stored.key.id, now));
        let last_use = LastUse {
            at: stored.last_used_at,
            from: stored.last_used_ip,
        };
        Key::of(
            &stored.key,
            &stored.terms,
            SpentToday(self.currency, spent),
            last_use,
            now,
        )
    }
}
