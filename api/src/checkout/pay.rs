//! A customer's money is there: it is stored, with the sale that it makes, and what was bought is delivered.
//!
//! Keeps: whether the merchant says so or a provider was asked, the same transaction stores it once; too little
//! buys nothing until the rest is there, or the merchant takes it so.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId},
    payments::{Invoice, Provider as _, Snapshot, Status, WrongStatus},
};
use persistence::{
    checkout::{self, NotAccepted, NotPaid, Said},
    owned,
    top_ups::{self, Announcement, NotSettled},
};

use super::{carry::carry, letters};
use crate::{
    error::{ApiError, Code},
    payments::{Manual, Word},
    state::App,
    top_ups::mark_paid::refusal,
};

/// The merchant saw the money: whether the invoice was paid so before, and how it stands.
pub(crate) async fn marked(
    app: &App,
    invoice: Invoice,
    reference: Option<String>,
    actor: Actor,
) -> Result<(bool, Invoice), ApiError> {
    let app = app.clone();
    // One task for all of it: what is stored is delivered, whether or not the caller waits.
    owned(async move { paid(&app, invoice, reference, actor).await }).await
}

async fn paid(
    app: &App,
    invoice: Invoice,
    reference: Option<String>,
    actor: Actor,
) -> Result<(bool, Invoice), ApiError> {
    let word = Word {
        amount: None,
        reference,
    };
    let snapshot = Manual::saying(word).fetch(&invoice).await?;
    let of = (invoice.merchant, invoice.id);
    let by = (actor, app.engine.random().clone());
    let said = Said {
        snapshot,
        part: None,
    };
    let db = (&app.database, app.engine.vault());
    let settled = checkout::settle(db, of, said, by, app.now()).await?;
    let settled = settled.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (_, already) = settled.map_err(not_paid)?;
    delivered(app, of, already).await
}

/// The merchant takes what arrived for what was asked for: whether that was so before, and how the invoice stands.
pub(crate) async fn accepted(
    app: &App,
    of: (MerchantId, InvoiceId),
    actor: Actor,
) -> Result<(bool, Invoice), ApiError> {
    let app = app.clone();
    owned(async move {
        let by = (actor, app.engine.random().clone());
        let accepted = checkout::accept(&app.database, of, by, app.now()).await?;
        let accepted = accepted.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let (_, already) = accepted.map_err(not_accepted)?;
        delivered(&app, of, already).await
    })
    .await
}

/// Delivers what is paid, and says how the invoice stands then.
async fn delivered(
    app: &App,
    of: (MerchantId, InvoiceId),
    already: bool,
) -> Result<(bool, Invoice), ApiError> {
    deliver(app, of).await;
    let stands = top_ups::find_of(&app.database, of.0, of.1).await;
    let stands = stands.map_err(|error| ApiError::from(error).after_change())?;
    Ok((
        already,
        stands.ok_or_else(|| ApiError::new(Code::NotFound))?,
    ))
}

/// What cannot be delivered now is tried again: the money is stored.
async fn deliver(app: &App, of: (MerchantId, InvoiceId)) {
    let turn = app.turns.of_invoice(of.1).await;
    if let Err(error) = carry(app, &turn, of).await {
        let code = error.code().name();
        tracing::warn!(invoice.id = %of.1, code, "a paid invoice waits on: {code}");
    }
}

/// A provider was asked what arrived; false if that contradicts what was taken in before. To be called in a task of
/// its own.
pub(crate) async fn taken_in(
    app: &App,
    of: (MerchantId, InvoiceId),
    snapshot: Snapshot,
    (actor, now): (Actor, Timestamp),
) -> Result<bool, ApiError> {
    let by = (actor, app.engine.random().clone());
    let said = Said {
        part: part_of(app, of, &snapshot).await?,
        snapshot,
    };
    let db = (&app.database, app.engine.vault());
    let settled = checkout::settle(db, of, said, by, now).await?;
    app.mail_queued.notify_one();
    match settled.ok_or_else(|| ApiError::new(Code::InternalError))? {
        Err(NotPaid::Contradiction(_) | NotPaid::SourceTaken | NotPaid::TooLarge) => Ok(false),
        Ok((invoice, _)) => {
            if invoice.status == Status::Paid {
                deliver(app, of).await;
            }
            Ok(true)
        }
    }
}

/// What the customer is mailed if what arrived is too little, unless the address is forgotten by now.
async fn part_of(
    app: &App,
    of: (MerchantId, InvoiceId),
    snapshot: &Snapshot,
) -> Result<Option<Announcement>, ApiError> {
    if !snapshot.arrived.iter().any(|arrival| arrival.settled) {
        return Ok(None);
    }
    let shop = app.engine.merchant(of.0).await?;
    let sold = checkout::sold(&app.database, of).await?;
    Ok(shop
        .zip(sold)
        .and_then(|(shop, sold)| letters::part(app, &shop, &sold).ok()))
}

fn not_paid(why: NotPaid) -> ApiError {
    match why {
        NotPaid::Contradiction(invoice) => refusal(NotSettled::Contradiction(invoice)),
        NotPaid::SourceTaken => refusal(NotSettled::SourceTaken),
        NotPaid::TooLarge => too_large(),
    }
}

fn not_accepted(why: NotAccepted) -> ApiError {
    match why {
        NotAccepted::Status(WrongStatus(status)) => {
            let said = "Nothing arrived that could be taken for what is asked.";
            ApiError::saying(Code::InvalidState, said).detail("status", status.name())
        }
        NotAccepted::TooLarge => too_large(),
    }
}

fn too_large() -> ApiError {
    ApiError::saying(
        Code::InvalidState,
        "The reseller would have earned more than can be kept. Nothing was changed.",
    )
}
