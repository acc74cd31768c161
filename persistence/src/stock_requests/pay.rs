//! What a provider says of a purchase is stored: what arrived, what it brings about, what did not come after all.
//!
//! Keeps: a source pays once. What is to go to a balance, or to leave one, is stored here and carried out by the
//! caller or, if that one ended, by whoever asks for [`super::refunds_waiting`] or for takings.

use std::sync::Arc;

use engine::{
    audit::Actor,
    balances::EntryKind,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, StockRefundId, StockRequestId},
    money::Money,
    payments::{NotTakenBack, Payment, Purpose, Snapshot, Status},
    random::Random,
    stock_requests::{
        Arrived, NotAccepted, OncePaid, Reversed, StockRefund, StockRequest, may_revive,
    },
};
use sqlx::PgConnection;

use super::{
    committed::{committed, moved},
    open::{Limits, one_by_one},
    refunds,
    rows::{lock, note, store, tell},
    step::{REFERENCE_KEY, finish, owed},
};
use crate::{
    Database, Error,
    checkout::{insert_refund, known_refund},
    database::commit,
    owned,
    relationships::rows::kept,
    sales::refund::Wanted,
    top_ups::{
        Cause, Taking,
        settle::{SOURCE_KEY, insert, payment},
    },
};

/// Who did it, and what it is called.
type By = (Actor, &'static str);

/// What is said of a purchase, and what it brings about.
#[derive(Debug)]
pub struct Said {
    pub snapshot: Snapshot,
    pub once: OncePaid,
    /// What the purchase limits are counted by, which what comes after the end has to keep; none of what comes by the
    /// merchant's word.
    pub limits: Option<Limits>,
    /// What the merchant finds the money by, if it is the merchant's word.
    pub reference: Option<String>,
}

/// A purchase after something arrived for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub request: StockRequest,
    /// What is to be credited.
    pub refunds: Vec<StockRefund>,
    /// It was so before: nothing was changed.
    pub already: bool,
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSettled {
    /// It was paid otherwise.
    Contradiction(Box<StockRequest>),
    /// What arrived was taken in for something else.
    SourceTaken,
}

/// Takes in what is said of a purchase of this merchant; none if there is none such that a provider tells of.
pub async fn settle(
    db: &Database,
    (merchant, id): (MerchantId, StockRequestId),
    said: Said,
    (by, random): (By, Arc<dyn Random>),
    now: Timestamp,
) -> Result<Option<Result<Settled, NotSettled>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if let Some(Limits { balance, .. }) = &said.limits {
            one_by_one(&mut tx, *balance).await?;
        }
        let Some(found) = billed(&mut tx, (merchant, id)).await? else {
            return Ok(None);
        };
        let once = once(&mut tx, &found, &said, now).await?;
        let Ok(arrived) = found.clone().arrived(&said.snapshot, once, now) else {
            return Ok(Some(Err(NotSettled::Contradiction(Box::new(found)))));
        };
        if arrived.already {
            return Ok(Some(Ok(Settled {
                request: arrived.request,
                refunds: Vec::new(),
                already: true,
            })));
        }
        let Arrived {
            mut request,
            fresh,
            surplus,
            ..
        } = arrived;
        let mut last = None;
        for arrival in fresh {
            let payment = payment(arrival, now, &*random);
            if !take(&mut tx, &mut request, payment.clone(), now).await? {
                return Ok(Some(Err(NotSettled::SourceTaken)));
            }
            last = Some(payment.id);
        }
        request.payment_reference = said.reference.or(request.payment_reference);
        // Under the id of the payment that was too much.
        let surplus = last
            .filter(|_| surplus > Money::ZERO)
            .map(|last| StockRefund {
                id: StockRefundId::from_uuid(last.uuid()),
                request: id,
                scope: request.scope,
                amount: surplus,
            });
        if let Some(surplus) = &surplus {
            refunds::insert(&mut tx, surplus, now).await?;
        }
        let stored = keep(&mut tx, (&found, &mut request), by, now).await;
        let refund = match stored {
            Err(error) if error.constraint() == Some(REFERENCE_KEY) => {
                return Ok(Some(Err(NotSettled::SourceTaken)));
            }
            stored => stored?,
        };
        commit(tx).await?;
        Ok(Some(Ok(Settled {
            request,
            refunds: surplus.into_iter().chain(refund).collect(),
            already: false,
        })))
    })
    .await
}

/// The merchant takes what arrived for what was asked for; none if there is no such purchase of this merchant.
pub async fn accept(
    db: &Database,
    (merchant, id): (MerchantId, StockRequestId),
    once: OncePaid,
    by: By,
    now: Timestamp,
) -> Result<Option<Result<Settled, NotAccepted>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = billed(&mut tx, (merchant, id)).await? else {
            return Ok(None);
        };
        let (mut request, already) = match found.clone().accept(once, now) {
            Err(refused) => return Ok(Some(Err(refused))),
            Ok(accepted) => accepted,
        };
        let mut refunds = Vec::new();
        if !already {
            refunds.extend(keep(&mut tx, (&found, &mut request), by, now).await?);
            commit(tx).await?;
        }
        Ok(Some(Ok(Settled {
            request,
            refunds,
            already,
        })))
    })
    .await
}

/// Why nothing went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotGivenBack {
    Purchase(NotTakenBack),
    /// The reference belongs to another refund.
    Mismatch,
}

/// The merchant gave money back that arrived and bought nothing; says whether that was so before. None if there is
/// no such purchase of this merchant.
pub async fn give_back(
    db: &Database,
    (merchant, id): (MerchantId, StockRequestId),
    wanted: Wanted,
    by: By,
    now: Timestamp,
) -> Result<Option<Result<(StockRequest, bool), NotGivenBack>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = billed(&mut tx, (merchant, id)).await? else {
            return Ok(None);
        };
        if let Some(known) = known_refund(&mut tx, merchant, &wanted.reference).await? {
            return Ok(Some(if wanted.is(id.uuid(), known)? {
                Ok((found, true))
            } else {
                Err(NotGivenBack::Mismatch)
            }));
        }
        let (mut request, amount) = match found.clone().give_unspent_back(wanted.amount, now) {
            Err(refused) => return Ok(Some(Err(NotGivenBack::Purchase(refused)))),
            Ok(given) => given,
        };
        if !note_refund(&mut tx, &request, (amount, &wanted), now).await? {
            return Ok(Some(Err(NotGivenBack::Mismatch)));
        }
        keep(&mut tx, (&found, &mut request), by, now).await?;
        commit(tx).await?;
        Ok(Some(Ok((request, false))))
    })
    .await
}

/// A purchase of which a payment did not come after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    pub request: StockRequest,
    /// What goes to the balance, because the purchase is over.
    pub refund: Option<StockRefund>,
    /// What the balance is to give.
    pub taking: Option<Taking>,
}

/// Takes down that a payment of this much did not come after all, once under its reference. None if there is nothing
/// of it to be taken, or no such purchase of this merchant.
pub async fn reverse(
    db: &Database,
    (merchant, id): (MerchantId, StockRequestId),
    (payment, wanted): (Money, Wanted),
    (by, reason): (By, &'static str),
    now: Timestamp,
) -> Result<Option<TakenBack>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = billed(&mut tx, (merchant, id)).await? else {
            return Ok(None);
        };
        if known_refund(&mut tx, merchant, &wanted.reference)
            .await?
            .is_some()
        {
            return Ok(None);
        }
        let Ok(reversed) = found.clone().reverse(payment, now) else {
            return Ok(None);
        };
        let Reversed {
            mut request,
            amount,
            owed,
        } = reversed;
        if !note_refund(&mut tx, &request, (amount, &wanted), now).await? {
            return Err(Error::Inconsistent {
                what: "a reversal that belongs to something else",
            });
        }
        let taking = (owed > Money::ZERO).then(|| Taking {
            scope: request.scope,
            kind: EntryKind::TopUpReversal,
            cause: Cause::Invoice(InvoiceId::from_uuid(id.uuid()), Purpose::StockRequest),
            reference: wanted.reference.clone(),
            amount: owed,
        });
        if let Some(taking) = &taking {
            taking.insert(&mut tx, wanted.note.as_deref(), now).await?;
        }
        if request.status != found.status {
            request.status_reason = Some(reason.to_owned());
        }
        let refund = keep(&mut tx, (&found, &mut request), by, now).await?;
        commit(tx).await?;
        Ok(Some(TakenBack {
            request,
            refund,
            taking,
        }))
    })
    .await
}

/// A purchase of which a provider tells, locked until the transaction ends.
async fn billed(
    connection: &mut PgConnection,
    (merchant, id): (MerchantId, StockRequestId),
) -> Result<Option<StockRequest>, Error> {
    let found = lock(connection, (merchant, None), id).await?;
    Ok(found.filter(|request| request.invoice().is_some()))
}

/// What the price brings about: of a purchase that is over it may be less than what was said.
async fn once(
    connection: &mut PgConnection,
    found: &StockRequest,
    said: &Said,
    now: Timestamp,
) -> Result<OncePaid, Error> {
    let Some(limits) = said.limits.as_ref().filter(|_| found.is_late(now)) else {
        return Ok(said.once);
    };
    // It is over, so it is not counted itself.
    let committed = committed(connection, found.scope.relationship, Some(now)).await?;
    let counted = (&*limits.terms, &limits.spending);
    Ok(if may_revive(found, counted, committed, now) {
        said.once
    } else {
        OncePaid::IN_VAIN
    })
}

/// Stores a payment with its purchase; false if it was taken in for something else.
async fn take(
    connection: &mut PgConnection,
    request: &mut StockRequest,
    payment: Payment,
    now: Timestamp,
) -> Result<bool, Error> {
    let bill = request.bill.as_mut();
    let Some(invoice) = bill.and_then(|bill| bill.invoice.as_mut()) else {
        return Ok(false);
    };
    match insert(connection, invoice, &payment, now).await {
        Err(error) if error.constraint() == Some(SOURCE_KEY) => Ok(false),
        inserted => {
            inserted?;
            invoice.payments.push(payment);
            Ok(true)
        }
    }
}

/// False if another refund took the reference at the same moment.
async fn note_refund(
    connection: &mut PgConnection,
    request: &StockRequest,
    (amount, wanted): (Money, &Wanted),
    now: Timestamp,
) -> Result<bool, Error> {
    match request.invoice() {
        None => Ok(false),
        Some(invoice) => insert_refund(connection, invoice, (amount, wanted), now).await,
    }
}

/// Stores a purchase as it came to stand, with what follows from that; what goes to its balance is to be credited.
async fn keep(
    connection: &mut PgConnection,
    (found, request): (&StockRequest, &mut StockRequest),
    (actor, action): By,
    now: Timestamp,
) -> Result<Option<StockRefund>, Error> {
    // That its time is over is told by whoever stores it.
    let told = if request.status == found.status {
        found.told(now)
    } else {
        found.status.told()
    };
    let refund = owed(request);
    store(&mut *connection, request).await?;
    finish(&mut *connection, (request, refund.as_ref()), told, now).await?;
    let short = |request: &StockRequest| {
        let status = request.invoice().map(|invoice| invoice.status);
        status == Some(Status::Underpaid)
    };
    // Whoever pays it hears that there is still something to pay.
    if request.told(now) == told && short(request) && !short(found) {
        tell(&mut *connection, request, now).await?;
    }
    if !request.counts_as(found) || request.expires_at != found.expires_at {
        moved(&mut *connection, request).await?;
    }
    let did = (actor, action, request.id.to_string());
    note(connection, request.scope.merchant, did, now).await?;
    Ok(refund)
}
