//! The loop that empties the outbox.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use persistence::mail::{self, ATTEMPTS_MAX, Due};
use tokio::time::sleep;

use super::carrier::{Carrier, Failure};
use crate::{metrics, state::App};

/// How often the outbox is looked at when nobody says that there is something in it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Mails that are sent at once.
const AT_ONCE_MAX: u32 = 8;

/// Sends what is in the outbox, for ever.
pub(crate) async fn send_queued(app: App, carrier: Arc<Carrier>) {
    loop {
        // Asked for before looking, so that a mail that is queued meanwhile is not overlooked.
        let told = app.mail_queued.notified();
        match send_some(&app, &carrier).await {
            Ok(0) => {
                tokio::select! {
                    () = told => {}
                    () = sleep(LOOK_EVERY) => {}
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %error, "could not read the outbox of mails");
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn send_some(app: &App, carrier: &Carrier) -> Result<usize, persistence::Error> {
    let due = mail::claim(&app.database, app.engine.vault(), AT_ONCE_MAX, app.now()).await?;
    let count = due.len();
    join_all(due.into_iter().map(|due| send(app, carrier, due))).await;
    Ok(count)
}

async fn send(app: &App, carrier: &Carrier, due: Due) {
    let taken = match &due.letter {
        Some(letter) => carrier.take(&due, letter).await,
        None => Err(Failure::ForGood(None)),
    };
    let over = matches!(taken, Err(Failure::ForGood(_))) || due.attempt >= ATTEMPTS_MAX;
    let noted = match taken {
        Ok(()) => {
            metrics::mail("sent");
            mail::sent(&app.database, due.id, app.now()).await
        }
        Err(failure) if over => {
            metrics::mail("failed");
            tracing::error!(mail.id = %due.id, mail.kind = due.kind, "gave up mail {}: {failure}", due.id);
            mail::give_up(&app.database, due.id, app.now()).await
        }
        Err(failure) => {
            metrics::mail("deferred");
            tracing::warn!(mail.id = %due.id, mail.kind = due.kind, "mail {} waits: {failure}", due.id);
            Ok(())
        }
    };
    if let Err(error) = noted {
        tracing::warn!(mail.id = %due.id, error = %error, "could not note what became of a mail");
    }
}
