//! A step of a request's life is stored, once.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, RelationshipId, StockRequestId},
    stock_requests::{Bill, Event, Stepped, StockRequest, WrongStatus},
};

use super::rows::{lock, note, store, tell};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// What is to happen, and what is stored with it.
#[derive(Debug, Clone)]
pub struct Step {
    pub event: Event,
    pub reason: Option<String>,
    pub bill: Option<Bill>,
    /// Who did it and what it is called; none: it carries out what was decided before.
    pub by: Option<(Actor, &'static str)>,
}

impl Step {
    /// One that nobody asked for anew.
    pub const fn of(event: Event) -> Self {
        Self {
            event,
            reason: None,
            bill: None,
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
    To(Box<StockRequest>),
    Already(Box<StockRequest>),
    Wrong(Box<StockRequest>),
}

/// Takes a step, if the request stands where the step begins; none if there is no such request.
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
        let told = found.status.told();
        let mut request = match found.clone().step(step.event, now) {
            Err(WrongStatus(_)) => return Ok(Some(Steps::Wrong(Box::new(found)))),
            Ok(Stepped::Already(request)) => return Ok(Some(Steps::Already(request))),
            Ok(Stepped::To(request)) => request,
        };
        if let Some(bill) = step.bill {
            request.bill = Some(bill);
        }
        request.status_reason = step.reason.or(request.status_reason);
        store(&mut tx, &request).await?;
        if request.status.told() != told {
            tell(&mut tx, &request, now).await?;
        }
        if let Some((actor, action)) = step.by {
            let did = (actor, action, id.to_string());
            note(&mut tx, request.scope.merchant, did, now).await?;
        }
        commit(tx).await?;
        Ok(Some(Steps::To(request)))
    })
    .await
}
