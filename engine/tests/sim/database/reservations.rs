//! The transaction of an invoice that stores a reservation: it locks the shelf, looks who owns the shard,
//! writes, and commits; its client may not hear what became of it.

use std::{sync::Arc, time::Duration};

use engine::inventory::Reservation;
use tokio::{sync::oneshot, time::sleep};
use tokio_util::task::TaskTracker;

use super::Database;
use crate::{
    power::Power,
    tally::{Kind, Sometimes},
};

/// `idle_in_transaction_session_timeout`.
const IDLE_MAX: Duration = Duration::from_secs(5);

impl Database {
    pub(crate) async fn store(self: &Arc<Self>, power: &Power, reservation: Reservation) {
        let weather = &self.weather;
        sleep(weather.dice.latency()).await;
        if weather.dice.percent(20) {
            // The transaction has more to do before it comes to this.
            sleep(weather.dice.millis(0, 4000)).await;
        }
        power.thawed().await;
        if !power.is_on() || !self.is_up() {
            return;
        }
        let (call, reach) = (*reservation.call(), reservation.reach());
        let storing = self.store.storing(call.sku);
        if !self.tables().is_owner(reservation.owner()) {
            weather.reached(Sometimes::ReservationFenced);
            return;
        }
        let stored = reservation.stored();
        sleep(weather.dice.latency()).await;
        let idle = tokio::select! {
            biased;
            () = power.thawed() => false,
            () = sleep(IDLE_MAX) => true,
        };
        if idle || !power.is_on() {
            // The server undid it.
            drop(storing);
            power.thawed().await;
            stored.aborted();
            return;
        }
        let undone = weather.strikes(Kind::ReservationUndone, 100);
        let takes = weather.dice.millis(0, 1500);
        let (reply, answer) = oneshot::channel();
        let db = Arc::clone(self);
        TaskTracker::new().spawn(async move {
            sleep(takes).await;
            if !undone {
                db.tables().insert_reservation(&call, reach);
                db.waits_from_now(call.id);
            }
            drop(storing);
            let _gone = reply.send(()).is_err();
        });
        let deaf = weather.strikes(Kind::ReservationUnheard, 150);
        if deaf {
            return;
        }
        if answer.await.is_ok() && undone {
            stored.aborted();
        }
    }
}
