//! Port: the durable look-up of an order id.

use futures_util::future::BoxFuture;

use super::{Fulfillment, OrderId};
use crate::{fault::Fault, ids::BalanceId};

/// Reads fulfillments on a connection that is never ahead of a lane's fence.
pub trait Source: Send + Sync + 'static {
    /// The fulfillment that bound this order id, or none. Exact for whoever holds the order id's
    /// entry in the balance's actor: nobody else can bind it meanwhile.
    fn find<'a>(
        &'a self,
        balance: BalanceId,
        order_id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Fulfillment>, Fault>>;
}
