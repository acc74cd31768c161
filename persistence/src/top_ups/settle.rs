//! What a provider says of an invoice is stored: what arrived, and where the invoice stands.
//!
//! Keeps: nothing is credited here. Whatever is stored waits for its credit, from whoever stored it or,
//! if that one ended, from whoever asks for [`super::waiting`].

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{BalanceId, InvoiceId, MerchantId, PaymentId, RelationshipId},
    payments::{Arrival, Invoice, Payment, Purpose, Settlement, Snapshot, Stepped},
    random::Random,
    relationships::RelationshipScope,
    top_ups::Ended,
};
use sqlx::PgConnection;

use super::{
    Waiting, automatic,
    rows::{self, Of},
};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// What became of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub invoice: Invoice,
    /// It was so before: nothing was changed.
    pub already: bool,
    /// What is to be credited, now or again.
    pub waiting: Vec<Waiting>,
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSettled {
    /// The invoice was paid otherwise.
    Contradiction(Box<Invoice>),
    /// What arrived was taken in for another invoice.
    SourceTaken,
}

/// Takes in what a provider says of an invoice of this relationship; none if there is none.
pub async fn settle(
    db: &Database,
    (of, id): ((MerchantId, RelationshipId), InvoiceId),
    snapshot: Snapshot,
    (actor, random): (Actor, Arc<dyn Random>),
    now: Timestamp,
) -> Result<Option<Result<Settled, NotSettled>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some((balance, invoice)) = rows::lock(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let before = rows::digest(&mut tx, id).await?;
        let Ok(settlement) = invoice.clone().settle(&snapshot, now) else {
            let refused = NotSettled::Contradiction(Box::new(invoice));
            return Ok(Some(Err(refused)));
        };
        let Settlement { stepped, fresh } = settlement;
        let arrived = !fresh.is_empty();
        let (already, mut invoice) = match stepped {
            Stepped::Already(invoice) => (fresh.is_empty(), *invoice),
            Stepped::To(invoice) => (false, *invoice),
        };
        if !already {
            for arrival in fresh {
                let payment = payment(arrival, now, &*random);
                match insert(&mut tx, &invoice, &payment, now).await {
                    Err(error) if error.constraint() == Some(SOURCE_KEY) => {
                        return Ok(Some(Err(NotSettled::SourceTaken)));
                    }
                    inserted => inserted?,
                }
                invoice.payments.push(payment);
            }
            if arrived {
                let paid = (Ended::Paid, now);
                automatic::ended(&mut tx, balance, &invoice, paid).await?;
            }
            rows::store(&mut tx, &invoice, now).await?;
            let deed = (actor, "top_up.settle");
            rows::note(&mut tx, &invoice, deed, Some(before), now).await?;
            commit(tx).await?;
        }
        Ok(Some(Ok(Settled {
            waiting: uncredited((of, balance), &invoice),
            invoice,
            already,
        })))
    })
    .await
}

/// What arrived belongs to one invoice.
pub(crate) const SOURCE_KEY: &str = "payments_merchant_id_provider_source_key";

pub(crate) fn payment(arrival: Arrival, now: Timestamp, random: &dyn Random) -> Payment {
    Payment {
        id: PaymentId::generate(now, random),
        source: arrival.source,
        amount: arrival.amount,
        entry: None,
    }
}

fn uncredited(
    ((merchant, relationship), balance): (Of, BalanceId),
    invoice: &Invoice,
) -> Vec<Waiting> {
    let payments = invoice.payments.iter().filter(|one| one.entry.is_none());
    let waiting = payments.map(|payment| Waiting {
        scope: RelationshipScope {
            merchant,
            relationship,
            balance,
            test: false,
        },
        invoice: invoice.id,
        payment: payment.id,
        amount: payment.amount,
    });
    waiting.collect()
}

/// Stores what arrived. What pays no top-up waits for no credit, so it names no balance's owner.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    invoice: &Invoice,
    payment: &Payment,
    now: Timestamp,
) -> Result<(), Error> {
    let credited_to = match invoice.purpose {
        Purpose::TopUp => invoice.relationship,
        Purpose::Checkout | Purpose::StockRequest => None,
    };
    sqlx::query(
        "INSERT INTO payments (payment_id, invoice_id, merchant_id, relationship_id, provider,
           source, amount, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(payment.id.uuid())
    .bind(invoice.id.uuid())
    .bind(invoice.merchant.uuid())
    .bind(credited_to.map(RelationshipId::uuid))
    .bind(invoice.provider.name())
    .bind(&payment.source)
    .bind(payment.amount.minor())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
