//! A merchant gives money of a top-up back, or a payment is disputed: where the invoice stands, and what is
//! to be taken out of the balance for it.
//!
//! Keeps: a reference takes back once. Nothing is taken here: whatever is stored waits for that, from whoever
//! stored it or from whoever asks for [`super::takings_waiting`].

use engine::{
    audit::Actor,
    balances::EntryKind,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId},
    money::Money,
    payments::{Act, Invoice, NotTakenBack, TakenBack},
    relationships::RelationshipScope,
};

use super::{
    rows,
    takings::{Cause, Taking},
};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// What is to be done, and under which reference money is taken for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub act: Act,
    pub reference: String,
    pub note: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub invoice: Invoice,
    /// It was so before: nothing was changed.
    pub already: bool,
    /// What is to be taken, now or again.
    pub taking: Option<Taking>,
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    Invoice(NotTakenBack),
    /// The reference took something else back.
    ReferenceTaken,
}

/// Takes back of a top-up of this relationship; none if there is none such.
pub async fn take_back(
    db: &Database,
    (of, id): ((MerchantId, RelationshipId), InvoiceId),
    wanted: Wanted,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<Done, Refused>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some((balance, invoice)) = rows::lock(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let scope = RelationshipScope {
            merchant: of.0,
            relationship: of.1,
            balance,
            test: false,
        };
        let known =
            Taking::find(&mut tx, scope, EntryKind::TopUpReversal, &wanted.reference).await?;
        if let Some(known) = known {
            let of_it = match known.taking.cause {
                Cause::Invoice(invoice, _) => invoice == id,
                Cause::Purchase(_) => false,
            };
            let same = of_it && is_of(wanted.act, known.taking.amount);
            return Ok(Some(if same {
                Ok(Done {
                    invoice,
                    already: true,
                    taking: Some(known.taking).filter(|_| !known.taken),
                })
            } else {
                Err(Refused::ReferenceTaken)
            }));
        }
        let before = rows::digest(&mut tx, id).await?;
        let (invoice, amount) = match invoice.take_back(wanted.act, now) {
            Err(refused) => return Ok(Some(Err(Refused::Invoice(refused)))),
            Ok(TakenBack::Already(invoice)) => {
                return Ok(Some(Ok(Done {
                    invoice: *invoice,
                    already: true,
                    taking: None,
                })));
            }
            Ok(TakenBack::To(invoice, amount)) => (*invoice, amount),
        };
        rows::store(&mut tx, &invoice, now).await?;
        let taking = (amount > Money::ZERO).then_some(Taking {
            scope,
            kind: EntryKind::TopUpReversal,
            cause: Cause::Invoice(id, invoice.purpose),
            reference: wanted.reference,
            amount,
        });
        if let Some(taking) = &taking {
            taking.insert(&mut tx, wanted.note.as_deref(), now).await?;
        }
        let deed = (actor, action(wanted.act));
        rows::note(&mut tx, &invoice, deed, Some(before), now).await?;
        commit(tx).await?;
        Ok(Some(Ok(Done {
            invoice,
            already: false,
            taking,
        })))
    })
    .await
}

/// Whether what is wanted is what was taken before.
fn is_of(act: Act, amount: Money) -> bool {
    match act {
        Act::Refund(wanted) => wanted.is_none_or(|wanted| wanted == amount),
        Act::DisputeLost | Act::Reversed(_) => true,
        Act::DisputeOpened | Act::DisputeWon => false,
    }
}

const fn action(act: Act) -> &'static str {
    match act {
        Act::Refund(_) => "top_up.refund",
        Act::DisputeOpened => "top_up.dispute_open",
        Act::DisputeWon => "top_up.dispute_win",
        Act::DisputeLost => "top_up.dispute_lose",
        Act::Reversed(_) => "top_up.reverse",
    }
}
