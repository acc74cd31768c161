//! What every reader of stored rows shares: it finds an entry by its reference, and tells it as what
//! it is. How it finds it, and what goes wrong meanwhile, is its own.

use futures_util::future::BoxFuture;

use super::EntryRow;
use crate::{
    balances::{CreditEntry, EntryKind},
    fault::Fault,
    fulfillments::{Fulfillment, OrderId},
    ids::BalanceId,
    journal::Reader,
};

/// A [`Reader`] whose entries are [`EntryRow`]s.
pub trait FindEntry: Send + Sync {
    fn find(
        &self,
        balance: BalanceId,
        kind: EntryKind,
        reference: &str,
    ) -> impl Future<Output = Result<Option<EntryRow>, Fault>> + Send;
}

impl<T: FindEntry> Reader for T {
    fn fulfillment<'a>(
        &'a self,
        balance: BalanceId,
        order_id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Fulfillment>, Fault>> {
        Box::pin(async move {
            let kind = EntryKind::Fulfillment;
            let found = self.find(balance, kind, order_id.as_str()).await?;
            Ok(found.and_then(EntryRow::into_fulfillment))
        })
    }

    fn credit<'a>(
        &'a self,
        balance: BalanceId,
        kind: EntryKind,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<CreditEntry>, Fault>> {
        Box::pin(async move {
            let found = self.find(balance, kind, reference).await?;
            Ok(found.and_then(EntryRow::into_credit))
        })
    }
}
