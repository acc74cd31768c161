//! Serials that a customer bought and that are no good: others leave the shelf for them, and a mail says where they
//! are.
//!
//! Keeps: they leave under the replacement's own id, so once however often it is tried, all or none; they are noted
//! as the customer's before anybody is told. Whoever tries has the invoice's turn, and looks again what it may: so
//! nothing leaves for what was given back, disputed or forgotten since it was wanted.

use chrono::TimeDelta;
use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, SerialId},
    inventory::{Pulled, Purpose, WithdrawalCall},
    replacements::{InvoiceReplacement, NotReplaced},
};
use persistence::{
    checkout::{self, Replace, Replacing, Standing},
    mail::Post,
    owned,
};

use super::letters;
use crate::{
    error::{ApiError, Code},
    state::App,
    stock_requests::Turn,
};

/// One that waits longer than this to be carried out was cut off.
const CUT_OFF_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: i64 = 100;

/// Why nothing was replaced.
pub(crate) enum Refused {
    Purchase(NotReplaced),
    /// Another of this invoice is not carried out yet.
    Behind,
    /// Something else was wanted under this id.
    Mismatch,
}

/// Replaces what is wanted, or tells what was replaced under this id before; whether it was so.
pub(crate) async fn replace(
    app: &App,
    of: (MerchantId, InvoiceId),
    replacing: Replacing,
    actor: Actor,
) -> Result<Result<(InvoiceReplacement, bool), Refused>, ApiError> {
    let app = app.clone();
    // One task for both steps: what is stored is also carried out.
    owned(async move {
        let turn = app.turns.of_invoice(of.1).await;
        let by = (actor, app.now());
        let stored = checkout::replace(&app.database, of, replacing, by).await?;
        let stored = match stored.ok_or_else(|| ApiError::new(Code::NotFound))? {
            Replace::Stored(stored) => *stored,
            Replace::Mismatch => return Ok(Err(Refused::Mismatch)),
            Replace::Behind => return Ok(Err(Refused::Behind)),
            Replace::Refused(refused) => return Ok(Err(Refused::Purchase(refused))),
        };
        let already = stored.is_issued();
        let done = carry(&app, &turn, stored).await?;
        Ok(done.map(|done| (done, already)).map_err(Refused::Purchase))
    })
    .await
}

/// What was wanted may be old by now: it is carried out as it stands.
async fn carry(
    app: &App,
    _turn: &Turn<'_>,
    one: InvoiceReplacement,
) -> Result<Result<InvoiceReplacement, NotReplaced>, ApiError> {
    let stands = checkout::replacing(&app.database, &one, app.engine.owner(), app.now()).await;
    let stands = stands.map_err(|error| ApiError::from(error).after_change())?;
    match stands.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Standing::Issued(one) => Ok(Ok(*one)),
        Standing::Due(one) => issue(app, &one).await.map(Ok),
        Standing::Late(one, successors) => noted(app, &one, successors, None).await.map(Ok),
        Standing::Undone(why) => Ok(Err(why)),
    }
}

async fn issue(app: &App, one: &InvoiceReplacement) -> Result<InvoiceReplacement, ApiError> {
    let call = WithdrawalCall {
        id: one.withdrawal(),
        merchant: one.merchant,
        sku: one.sku,
        by: None,
    };
    let units = u32::try_from(one.serials.len()).unwrap_or(u32::MAX);
    let pulled = app.engine.pull(call, Purpose::Replacement, units).await;
    let pulled = pulled.map_err(|fault| ApiError::from(fault).after_change())?;
    let Pulled::Serials(successors) = pulled else {
        let undone = checkout::unreplaced(&app.database, one, app.now()).await;
        undone.map_err(|error| ApiError::from(error).after_change())?;
        return Err(ApiError::new(Code::OutOfStock));
    };
    let post = post(app, one, &successors).await;
    let post = post.map_err(ApiError::after_change)?;
    noted(app, one, successors, post).await
}

async fn noted(
    app: &App,
    one: &InvoiceReplacement,
    successors: Vec<SerialId>,
    post: Option<Post>,
) -> Result<InvoiceReplacement, ApiError> {
    let (db, vault) = (&app.database, app.engine.vault());
    let done = checkout::replaced(db, vault, (one, successors), post, app.now()).await;
    let done = done.map_err(|error| ApiError::from(error).after_change())?;
    app.mail_queued.notify_one();
    app.shelves.add([one.merchant]);
    Ok(done)
}

/// What the customer is mailed; nothing, if the address was erased.
async fn post(
    app: &App,
    one: &InvoiceReplacement,
    successors: &[SerialId],
) -> Result<Option<Post>, ApiError> {
    let missing = || ApiError::new(Code::InternalError);
    let shop = app.engine.merchant(one.merchant).await?;
    let shop = shop.ok_or_else(missing)?;
    let of = (one.merchant, one.invoice);
    let sold = checkout::sold(&app.database, of).await?;
    let sold = sold.ok_or_else(missing)?;
    if !sold.knows_customer() {
        return Ok(None);
    }
    let both = [&one.serials[..], successors].concat();
    let mut old = letters::inline(app, &shop, &both).await?;
    let new = old.split_off(old.len() / 2);
    let pairs: Vec<_> = old.into_iter().zip(new).collect();
    letters::replaced(app, &shop, &sold, (successors.len(), &pairs)).map(Some)
}

/// Carries out what was cut off, and says how many there were.
pub async fn carry_replacing(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let before = now - CUT_OFF_AFTER;
    let waiting = checkout::take_replacing(&app.database, before, WAITING_AT_ONCE, now).await?;
    let count = waiting.len();
    for one in waiting {
        let id = one.id;
        let turn = app.turns.of_invoice(one.invoice).await;
        match carry(app, &turn, one).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => {
                tracing::info!(replacement.id = %id, "a replacement is not carried out any more");
            }
            Err(error) => {
                let code = error.code().name();
                tracing::warn!(replacement.id = %id, code, "a replacement was not carried out: {code}");
            }
        }
    }
    Ok(count)
}
