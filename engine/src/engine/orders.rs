//! Orders: admitted, executed in a task of the engine, and found again.
//!
//! Keeps: what was begun goes on, whoever stops waiting; no "no" before a durable look-up.

use std::sync::Arc;

use tokio::{sync::oneshot, time::timeout_at};

use super::Engine;
use crate::{
    actors::ask::{answer, ask},
    balances::messages::{Find, Forget, Found},
    clock::Deadline,
    config::ms,
    fault::Fault,
    fulfillments::{Delivery, Error, Fulfillment, OrderId, Outcome, Refusal, Request},
    metrics::{self, Ending},
    relationships::RelationshipScope,
};

impl Engine {
    /// Executes a request, or answers it from what was executed before. Dropping the future, or its
    /// deadline, does not end the work: whoever stops waiting repeats the same order id.
    pub async fn fulfill(&self, request: Request) -> Outcome {
        let deadline = Deadline::after(ms(self.0.config.answer_deadline_ms));
        let outcome = self.admitted(request, deadline).await;
        metrics::fulfillment(match &outcome {
            Ok(Delivery::Fresh(_)) => Ending::Delivered,
            Ok(Delivery::Replayed(_)) => Ending::Replayed,
            Err(Error::Refused(_)) => Ending::Refused,
            Err(Error::Faulted(fault)) => fault.into(),
        });
        outcome
    }

    async fn admitted(&self, request: Request, deadline: Deadline) -> Outcome {
        self.0
            .fulfiller
            .lanes
            .admit(request.scope().balance)
            .await?;
        let permit = self.0.permits.take(request.scope().relationship).await?;
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let (reply, outcome) = oneshot::channel();
        let arbiter = self.0.arbiters.of(request.scope().balance);
        // On the thread of the balance's actor: a question to a neighbour needs no other thread to
        // wake, and wake-ups are what a request costs most.
        arbiter.spawn(self.0.tasks.track_future(async move {
            let outcome = fulfiller.run(Arc::new(request), deadline).await;
            drop(permit);
            // Whoever hung up finds the outcome under the order id.
            answer(reply, outcome);
        }));
        match timeout_at(deadline.instant(), outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) if crate::sabotage::breaks("waiter_says_no") => {
                Err(Fault::overloaded().into())
            }
            Ok(Err(_)) | Err(_) => Err(Fault::OutcomeUnknown.into()),
        }
    }

    /// Something was recorded about a fulfillment after its commit, such as a refund: from now on its
    /// replays tell it.
    pub async fn fulfillment_changed(
        &self,
        scope: RelationshipScope,
        order_id: &OrderId,
    ) -> Result<(), Fault> {
        loop {
            let handle = self.handle(scope).await?;
            let forgotten = ask(&handle.actor, |reply| Forget {
                order_id: order_id.clone(),
                reply,
            });
            match forgotten.await {
                Ok(()) => return self.still_owner().await,
                Err(_) => self.bury(scope.balance, &handle),
            }
        }
    }

    /// What is bound to an order id: the fulfillment, or none if nothing is and nothing is running.
    pub async fn find(
        &self,
        scope: RelationshipScope,
        order_id: &OrderId,
    ) -> Result<Option<Arc<Fulfillment>>, Error> {
        loop {
            let handle = self.handle(scope).await?;
            let asked = ask(&handle.actor, |reply| Find {
                order_id: order_id.clone(),
                reply,
            });
            match asked.await {
                Ok(Found::Running) => return Err(Refusal::OrderInProgress.into()),
                Ok(Found::Settled(settled)) => return Ok(Some(settled)),
                Ok(Found::Unknown) => break,
                Err(_) => self.bury(scope.balance, &handle),
            }
        }
        let lanes = &self.0.fulfiller.lanes;
        let reader = lanes
            .reader(scope.balance)
            .await
            .map_err(|_| Fault::OutcomeUnknown)?;
        let found = reader.fulfillment(scope.balance, order_id).await;
        if let Err(fault) = &found {
            lanes.look_up_failed(scope.balance, &reader, fault);
        }
        let found = found.map_err(|_| Fault::OutcomeUnknown)?;
        if found.is_none() && !lanes.ownership.is_fresh() {
            return Err(Fault::OutcomeUnknown.into());
        }
        Ok(found.map(Arc::new))
    }
}
