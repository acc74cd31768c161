//! A dispute about a customer's purchase: stored with what follows for its sale.
//!
//! Keeps: whoever disputes has the invoice's turn, so that no replacement leaves a shelf for it meanwhile; the row that
//! is locked keeps a refund apart.

use std::sync::Arc;

use engine::{
    audit::Actor,
    checkout::going_back,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId},
    money::Money,
    payments::{Dispute, Invoice, NotTakenBack, TakenBack},
    random::Random,
};

use super::{
    refund::{insert, note_back},
    rows::{lines, lock, store},
};
use crate::{
    Database, Error, database::commit, owned, relationships::rows::kept, sales,
    sales::refund::Wanted,
};

/// The purchase after it, and whether that was known; none if no customer of this merchant has such an invoice.
pub async fn dispute(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    dispute: Dispute,
    (actor, random): (Actor, Arc<dyn Random>),
    now: Timestamp,
) -> Result<Option<Result<(Invoice, bool), NotTakenBack>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let (invoice, amount) = match found.dispute(dispute, now) {
            Err(refused) => return Ok(Some(Err(refused))),
            Ok(TakenBack::Already(invoice)) => return Ok(Some(Ok((*invoice, true)))),
            Ok(TakenBack::To(invoice, amount)) => (*invoice, amount),
        };
        let lost = Wanted {
            amount: Some(amount),
            // A dispute is lost once.
            reference: format!("consign:dispute:{id}"),
            note: None,
        };
        let fresh =
            amount == Money::ZERO || insert(&mut tx, &invoice, (amount, &lost), now).await?;
        if !fresh {
            return Err(Error::Inconsistent {
                what: "a dispute that was lost before",
            });
        }
        if amount > Money::ZERO {
            let lines = lines(&mut tx, id).await?;
            let back = going_back(&lines, &invoice, (amount, None));
            note_back(&mut tx, lines, &back).await?;
        }
        let how = (dispute, &lost, &*random);
        sales::dispute::of_invoice(&mut tx, &invoice, how, now).await?;
        store(&mut tx, &invoice, (actor, action(dispute)), now).await?;
        commit(tx).await?;
        Ok(Some(Ok((invoice, false))))
    })
    .await
}

const fn action(dispute: Dispute) -> &'static str {
    match dispute {
        Dispute::Opened => "invoice.dispute_open",
        Dispute::Won => "invoice.dispute_win",
        Dispute::Lost => "invoice.dispute_lose",
    }
}
