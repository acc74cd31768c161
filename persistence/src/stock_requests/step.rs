//! A step of a request's life is stored, once, with what goes back for it.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, RelationshipId, StockRefundId, StockRequestId},
    inventory::{Ending, Reservation},
    money::Money,
    stock_requests::{Event, Status, Stepped, StockRefund, StockRequest, WrongStatus},
};
use sqlx::PgConnection;

use super::{
    bill::{self, Billing},
    committed::moved,
    refunds,
    rows::{lock, note, store, tell},
};
use crate::{
    Database, Error, database::commit, inventory::reservations, owned, relationships::rows::kept,
};

/// What is to happen, and what is stored with it.
#[derive(Debug)]
pub struct Step {
    pub event: Event,
    /// What is to happen instead where it is stored already that the request is over: its units are free.
    pub if_over: Option<Event>,
    pub reason: Option<String>,
    /// How it is to be paid from now on.
    pub bill: Option<Billing>,
    /// The units that are kept for it from now on.
    pub kept: Option<Reservation>,
    /// What the money is found by that came.
    pub payment_reference: Option<String>,
    /// Who did it and what it is called; none: it carries out what was decided before.
    pub by: Option<(Actor, &'static str)>,
}

impl Step {
    /// One that nobody asked for anew.
    pub const fn of(event: Event) -> Self {
        Self {
            event,
            if_over: None,
            reason: None,
            bill: None,
            kept: None,
            payment_reference: None,
            by: None,
        }
    }

    /// One that somebody takes.
    pub fn by(event: Event, actor: Actor, action: &'static str) -> Self {
        Self {
            by: Some((actor, action)),
            ..Self::of(event)
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Steps {
    To(Box<StockRequest>, Option<StockRefund>),
    Already(Box<StockRequest>),
    Wrong(Box<StockRequest>),
    /// The reference paid another request.
    ReferenceTaken,
}

pub(super) const REFERENCE_KEY: &str = "stock_requests_merchant_id_payment_reference_key";

/// Takes a step, if the request stands where the step begins; none if there is no such request. What goes
/// back by it is to be credited.
pub async fn step(
    db: &Database,
    of: (MerchantId, Option<RelationshipId>),
    id: StockRequestId,
    step: Step,
    now: Timestamp,
) -> Result<Option<Steps>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = lock(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let told = found.told(now);
        let event = step
            .if_over
            .filter(|_| found.status.is_over())
            .unwrap_or(step.event);
        let mut request = match found.clone().step(event, now) {
            Err(WrongStatus(_)) => return Ok(Some(Steps::Wrong(Box::new(found)))),
            Ok(Stepped::Already(request)) => return Ok(Some(Steps::Already(request))),
            Ok(Stepped::To(request)) => request,
        };
        if let Some(billing) = step.bill {
            bill::open(&mut tx, &mut request, billing, now).await?;
        }
        request.status_reason = step.reason.or(request.status_reason);
        request.payment_reference = step.payment_reference.or(request.payment_reference);
        let refund = owed(&mut request);
        match store(&mut tx, &request).await {
            Err(error) if error.constraint() == Some(REFERENCE_KEY) => {
                return Ok(Some(Steps::ReferenceTaken));
            }
            stored => stored?,
        }
        finish(&mut tx, (&request, refund.as_ref()), told, now).await?;
        if !request.counts_as(&found) {
            moved(&mut tx, &request).await?;
        }
        if let Some((actor, action)) = step.by {
            let did = (actor, action, id.to_string());
            note(&mut tx, request.scope.merchant, did, now).await?;
        }
        if let Some(kept) = step.kept {
            reservations::insert(&mut tx, kept, now).await?;
        }
        commit(tx).await?;
        Ok(Some(Steps::To(request, refund)))
    })
    .await
}

/// What goes back because the request is over. Its id is the request's own: that happens once.
pub(super) fn owed(request: &mut StockRequest) -> Option<StockRefund> {
    let amount = request.owed();
    if amount == Money::ZERO {
        return None;
    }
    request.give_back(amount);
    Some(StockRefund {
        id: StockRefundId::from_uuid(request.id.uuid()),
        request: request.id,
        scope: request.scope,
        amount,
    })
}

pub(super) async fn finish(
    connection: &mut PgConnection,
    (request, refund): (&StockRequest, Option<&StockRefund>),
    told: &'static str,
    now: Timestamp,
) -> Result<(), Error> {
    if let Some(refund) = refund {
        refunds::insert(connection, refund, now).await?;
    }
    let ending = match request.status {
        Status::Cancelled => Some(Ending::Cancelled),
        Status::Expired => Some(Ending::Expired),
        Status::Requested
        | Status::Invoiced
        | Status::Paying
        | Status::Paid
        | Status::Allocating
        | Status::Allocated
        | Status::Delivered
        | Status::Revoked => None,
    };
    if let Some(ending) = ending {
        reservations::end(connection, request.withdrawal(), ending, now).await?;
    }
    if request.status == Status::Paid {
        reservations::paid(connection, request.withdrawal(), now).await?;
    }
    if request.told(now) != told {
        tell(connection, request, now).await?;
    }
    Ok(())
}
