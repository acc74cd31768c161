//! A merchant says that a customer's money is there: it is stored, with the sale that it makes, and what was
//! bought is delivered.

use engine::{
    audit::Actor,
    payments::{Invoice, Provider as _},
};
use persistence::{
    checkout::{self, NotPaid},
    owned,
    top_ups::{self, NotSettled},
};

use super::carry::carry;
use crate::{
    error::{ApiError, Code},
    payments::{Manual, Word},
    state::App,
    top_ups::mark_paid::refusal,
};

/// Whether the invoice was paid so before, and how it stands.
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
    let settled = checkout::settle(&app.database, of, snapshot, by, app.now()).await?;
    let settled = settled.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (_, already) = settled.map_err(not_paid)?;
    // What cannot be delivered now is tried again: the money is stored.
    let turn = app.turns.of_invoice(of.1).await;
    if let Err(error) = carry(app, &turn, of).await {
        let code = error.code().name();
        tracing::warn!(invoice.id = %of.1, code, "a paid invoice waits on: {code}");
    }
    drop(turn);
    let stands = top_ups::find_of(&app.database, of.0, of.1).await;
    let stands = stands.map_err(|error| ApiError::from(error).after_change())?;
    Ok((
        already,
        stands.ok_or_else(|| ApiError::new(Code::NotFound))?,
    ))
}

fn not_paid(why: NotPaid) -> ApiError {
    match why {
        NotPaid::Contradiction(invoice) => refusal(NotSettled::Contradiction(invoice)),
        NotPaid::SourceTaken => refusal(NotSettled::SourceTaken),
        NotPaid::TooLarge => ApiError::saying(
            Code::InvalidState,
            "The reseller would have earned more than can be kept. Nothing was changed.",
        ),
    }
}
