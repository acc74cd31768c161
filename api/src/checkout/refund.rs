//! A merchant gave a customer money back: of an invoice, or of the sale that it made.
//!
//! Keeps: it has the invoice's turn, so that nothing is delivered while what goes back is stored; the customer is
//! told by mail.

use engine::{
    audit::Actor,
    ids::{InvoiceId, MerchantId, SaleId},
    merchants::Merchant,
    money::Money,
    payments::{Invoice, NotTakenBack, Status},
};
use persistence::{
    checkout::{self, Cause, Due, Giving, Refund},
    mail::Post,
    owned,
    sales::refund::Wanted,
};

use super::{end::release, letters};
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// What the customer is told.
type Telling = fn(&App, &Merchant, &Due) -> Result<Post, ApiError>;

/// Why nothing was changed.
pub(crate) enum NotRefunded {
    Invoice(NotTakenBack),
    /// The reference belongs to another refund.
    Mismatch,
}

/// A payment of this much did not come after all: what of it did not go back before is taken down, once under this
/// reference.
pub(crate) async fn reversed(
    app: &App,
    of: (MerchantId, InvoiceId),
    (payment, reference, note): (Money, String, String),
    actor: Actor,
) -> Result<(), ApiError> {
    let wanted = Wanted {
        amount: None,
        reference,
        note: Some(note),
    };
    let cause = Cause::Reversed(payment);
    let done = give_back(app, of, (cause, wanted), (actor, letters::reversed)).await?;
    match done {
        // Or all of it went back before.
        Ok(_) | Err(NotRefunded::Invoice(_)) => Ok(()),
        Err(NotRefunded::Mismatch) => Err(ApiError::new(Code::InternalError)),
    }
}

/// Whether it went back before, and how the invoice stands: of all of it, or of the line that made a sale.
pub(crate) async fn refunded(
    app: &App,
    of: (MerchantId, InvoiceId),
    (wanted, sale): (Wanted, Option<SaleId>),
    actor: Actor,
) -> Result<Result<(bool, Invoice), NotRefunded>, ApiError> {
    let app = app.clone();
    // One task for all of it: what is free is told, whether or not the caller waits.
    let cause = sale.map_or(Cause::Given, Cause::OfSale);
    let giving = (cause, wanted);
    owned(async move { give_back(&app, of, giving, (actor, letters::refunded)).await }).await
}

async fn give_back(
    app: &App,
    of: (MerchantId, InvoiceId),
    (cause, wanted): (Cause, Wanted),
    (actor, letter): (Actor, Telling),
) -> Result<Result<(bool, Invoice), NotRefunded>, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let shop = app.engine.merchant(of.0).await?.ok_or_else(missing)?;
    let sold = checkout::sold(&app.database, of).await?;
    let sold = sold.ok_or_else(missing)?;
    let giving = Giving {
        cause,
        wanted,
        // Whose address is forgotten by now is told nothing.
        post: letter(app, &shop, &sold).ok(),
        actor,
        owner: app.engine.owner(),
        random: app.engine.random().clone(),
    };
    let turn = app.turns.of_invoice(of.1).await;
    let (db, vault, now) = (&app.database, app.engine.vault(), app.now());
    let refund = checkout::refund(db, vault, of, giving, now).await?;
    drop(turn);
    Ok(match refund.ok_or_else(missing)? {
        Refund::Fresh(invoice, freed) => {
            app.mail_queued.notify_one();
            release(app, freed).await;
            Ok((false, *invoice))
        }
        Refund::Again(invoice) => Ok((true, *invoice)),
        Refund::Mismatch => Err(NotRefunded::Mismatch),
        Refund::Refused(refused) => Err(NotRefunded::Invoice(refused)),
    })
}

impl NotRefunded {
    /// What of a sale is left, if that is why: of one whose price went back, nothing.
    pub(crate) fn excess(&self) -> Option<Money> {
        match self {
            Self::Invoice(NotTakenBack::Excess { rest }) => Some(*rest),
            Self::Invoice(NotTakenBack::Status(Status::Refunded)) => Some(Money::ZERO),
            Self::Invoice(NotTakenBack::Status(_)) | Self::Mismatch => None,
        }
    }
}
