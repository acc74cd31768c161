//! Money that comes and goes without an order, and what there is of it.

use std::sync::Arc;

use super::Engine;
use crate::{
    actors::ask::ask,
    balances::{self, BalanceHandle, Cover, Credit, CreditEntry, Spending},
    fault::Fault,
    ids::BalanceId,
    money::Money,
    relationships::RelationshipScope,
};

/// A balance as its actor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    pub posted: Money,
    pub held: Money,
    /// The version of the last entry.
    pub version: i64,
    pub spending: Spending,
}

impl Balance {
    pub fn available(&self) -> Money {
        self.posted
            .checked_sub(self.held)
            .expect("held is at most posted")
    }
}

/// A credit as the answer to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credited {
    Fresh(CreditEntry),
    /// The reference was credited before, by this entry; nothing was changed.
    Replayed(CreditEntry),
}

/// A debit as the answer to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Debited {
    Fresh(CreditEntry),
    /// The reference was debited before, by this entry; nothing was changed.
    Replayed(CreditEntry),
    /// There is less than it takes; nothing was changed.
    Short {
        available: Money,
    },
    /// Another call debits this reference.
    Running,
}

impl Engine {
    /// Adds money to a balance, once per reference. Answers once it can be spent.
    pub async fn credit(
        &self,
        scope: RelationshipScope,
        credit: Credit,
    ) -> Result<Credited, Fault> {
        let permit = self.0.permits.take(scope.relationship).await?;
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let crediting = self.0.tasks.spawn(async move {
            let credited = balances::credit(&fulfiller, scope, Arc::new(credit)).await;
            drop(permit);
            credited
        });
        crediting.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// Takes money out of a balance without delivering anything, once per reference. The amount is below
    /// zero. It is held like an order's cost, so it never meets money that somebody else spends.
    pub async fn debit(
        &self,
        scope: RelationshipScope,
        debit: Credit,
        cover: Cover,
    ) -> Result<Debited, Fault> {
        let permit = self.0.permits.take(scope.relationship).await?;
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let debiting = self.0.tasks.spawn(async move {
            let debited = balances::debit(&fulfiller, scope, debit, cover).await;
            drop(permit);
            debited
        });
        debiting.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// The balance with what is held of it right now.
    pub async fn balance(&self, scope: RelationshipScope) -> Result<Balance, Fault> {
        if !self.0.fulfiller.lanes.ownership.is_fresh() {
            return Err(Fault::Unavailable);
        }
        loop {
            let handle = self.handle(scope).await?;
            let now = self.0.clock.now();
            let read = ask(&handle.actor, |reply| balances::messages::Read {
                now,
                reply,
            });
            match read.await {
                // Loading it may have taken longer than this process could be sure to own it.
                Ok(_) if !self.0.fulfiller.lanes.ownership.is_fresh() => {
                    return Err(Fault::Unavailable);
                }
                Ok(balance) => return Ok(balance),
                Err(_) => self.bury(scope.balance, &handle),
            }
        }
    }

    pub(super) async fn handle(&self, scope: RelationshipScope) -> Result<BalanceHandle, Fault> {
        let balances = &self.0.fulfiller.balances;
        balances.handle(scope.balance, scope.relationship).await
    }

    pub(super) fn bury(&self, balance: BalanceId, dead: &BalanceHandle) {
        self.0.fulfiller.balances.registry.bury(balance, dead);
    }
}
