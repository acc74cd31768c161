//! Visits: begun, found by their token, changed, repriced, forgotten.
//!
//! Keeps: whoever changes what is in a cart has its row's lock, so that no change is lost, nor made after the
//! customer's yes.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use engine::{
    catalog::Sku,
    checkout::{Came, Cart, Change, Item, Quote, Session, SessionStatus, Uncartable},
    clock::Timestamp,
    ids::{CampaignId, CheckoutId, InvoiceId, LinkId, ListingId, MerchantId, ProductId, VariantId},
    links::Attribution,
    vault::Sealed,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    Database, Error,
    database::commit,
    error::{at_most_one, exactly_one},
    fulfillments::rows::money,
    owned,
    relationships::rows::{kept, named},
};

/// How long a visit that came to nothing is remembered after its end.
const REMEMBERED_HOURS: i64 = 24;

/// Every column of a visit and the rest of the query, which names it `s`.
macro_rules! select_session {
    ($rest:literal) => {
        concat!(
            "SELECT s.session_id, s.merchant_id, s.product_id, s.variant_id, s.quantity,
               s.unit_price, s.link_id, s.clicked_at, s.customer_sealed, s.success_url,
               s.cancel_url, s.invoice_id, s.expires_at, s.created_at, s.listing_id,
               s.campaign_id, s.added, s.metadata
             FROM checkout_sessions AS s ",
            $rest
        )
    };
}
/// A visit that begins, and the digest of the token that opens its page.
pub struct NewSession {
    pub session: Session,
    pub token: [u8; 32],
}

/// Stores a visit; false if it was stored before.
pub async fn insert(db: &Database, begun: NewSession) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let NewSession { session, token } = begun;
        let columns = Columns::of(&session);
        let (first, added) = parts(&session.cart);
        let mut tx = db.begin().await?;
        let stored = sqlx::query(
            "INSERT INTO checkout_sessions (session_id, merchant_id, token_digest, product_id,
               variant_id, quantity, unit_price, link_id, clicked_at, customer_sealed, success_url,
               cancel_url, expires_at, created_at, listing_id, campaign_id,
               added, metadata)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
               $16, $17, $18)
             ON CONFLICT ON CONSTRAINT checkout_sessions_pkey DO NOTHING",
        )
        .bind(session.id.uuid())
        .bind(session.merchant.uuid())
        .bind(&token[..])
        .bind(first.product_id)
        .bind(first.variant_id)
        .bind(first.quantity)
        .bind(first.unit_price)
        .bind(columns.clicked.map(|clicked| clicked.link.uuid()))
        .bind(columns.clicked.map(|clicked| clicked.at))
        .bind(session.customer.as_ref().map(Sealed::as_bytes))
        .bind(&session.success_url)
        .bind(&session.cancel_url)
        .bind(session.expires_at)
        .bind(session.created_at)
        .bind(columns.listing.map(ListingId::uuid))
        .bind(columns.campaign.map(CampaignId::uuid))
        .bind(Json(added))
        .bind(Json(&session.metadata))
        .execute(&mut *tx)
        .await?;
        commit(tx).await?;
        at_most_one(&stored, "a visit")
    })
    .await
}

/// The visit whose page this token opens.
pub async fn find(db: &Database, token: [u8; 32]) -> Result<Option<Session>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_session!("WHERE s.token_digest = $1"))
            .bind(&token[..])
            .fetch_optional(&mut *db.find().await?)
            .await?;
        row.map(Session::try_from).transpose()
    })
    .await
}

/// The visit, which nobody else changes until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    id: CheckoutId,
) -> Result<Option<Session>, Error> {
    let row: Option<Row> = sqlx::query_as(select_session!("WHERE s.session_id = $1 FOR UPDATE"))
        .bind(id.uuid())
        .fetch_optional(connection)
        .await?;
    row.map(Session::try_from).transpose()
}

/// Changes what an open visit is about; none if there is no such visit. One that is over stays as it is.
pub async fn change(
    db: &Database,
    id: CheckoutId,
    change: Change,
    now: Timestamp,
) -> Result<Option<Result<(), Uncartable>>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(session) = lock(&mut tx, id).await? else {
            return Ok(None);
        };
        if session.status_at(now) != SessionStatus::Open {
            return Ok(Some(Ok(())));
        }
        let cart = match session.cart.changed(change) {
            Ok(cart) => cart,
            Err(why) => return Ok(Some(Err(why))),
        };
        store(&mut tx, id, &cart).await?;
        commit(tx).await?;
        Ok(Some(Ok(())))
    })
    .await
}

/// Notes the prices that the customer is shown from now on, and says what is in the cart; none if there is no
/// such visit.
pub async fn reprice(
    db: &Database,
    id: CheckoutId,
    quotes: Vec<Quote>,
) -> Result<Option<Cart>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(session) = lock(&mut tx, id).await? else {
            return Ok(None);
        };
        let cart = session.cart.repriced(&quotes);
        if session.invoice.is_none() {
            store(&mut tx, id, &cart).await?;
            commit(tx).await?;
        }
        Ok(Some(cart))
    })
    .await
}

async fn store(connection: &mut PgConnection, id: CheckoutId, cart: &Cart) -> Result<(), Error> {
    let (first, added) = parts(cart);
    let stored = sqlx::query(
        "UPDATE checkout_sessions SET product_id = $2, variant_id = $3, quantity = $4,
           unit_price = $5, added = $6
         WHERE session_id = $1",
    )
    .bind(id.uuid())
    .bind(first.product_id)
    .bind(first.variant_id)
    .bind(first.quantity)
    .bind(first.unit_price)
    .bind(Json(added))
    .execute(connection)
    .await?;
    exactly_one(&stored, "a locked visit")
}

/// A line of a cart as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredItem {
    product_id: Uuid,
    variant_id: Option<Uuid>,
    quantity: i32,
    unit_price: i64,
}

impl From<&Item> for StoredItem {
    fn from(item: &Item) -> Self {
        Self {
            product_id: item.sku.product.uuid(),
            variant_id: item.sku.variant.map(VariantId::uuid),
            quantity: i32::try_from(item.quantity).unwrap_or(i32::MAX),
            unit_price: item.unit_price.minor(),
        }
    }
}

impl StoredItem {
    fn item(&self) -> Result<Item, Error> {
        let quantity = u32::try_from(self.quantity).ok();
        Ok(Item {
            sku: Sku {
                product: ProductId::from_uuid(self.product_id),
                variant: self.variant_id.map(VariantId::from_uuid),
            },
            quantity: named(quantity, "checkout_sessions.quantity")?,
            unit_price: money(self.unit_price)?,
        })
    }
}

/// What is in columns of its own, and what is beside it.
fn parts(cart: &Cart) -> (StoredItem, Vec<StoredItem>) {
    let added = cart.items().iter().skip(1).map(StoredItem::from);
    (StoredItem::from(cart.first()), added.collect())
}

/// Forgets visits that ended without an invoice; says how many.
pub async fn sweep(db: &Database, now: Timestamp) -> Result<u64, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let gone = sqlx::query(
            "DELETE FROM checkout_sessions WHERE expires_at < $1 AND invoice_id IS NULL",
        )
        .bind(now - TimeDelta::hours(REMEMBERED_HOURS))
        .execute(&mut *tx)
        .await?;
        commit(tx).await?;
        Ok(gone.rows_affected())
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    session_id: Uuid,
    merchant_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    quantity: i32,
    unit_price: i64,
    link_id: Option<Uuid>,
    clicked_at: Option<Timestamp>,
    customer_sealed: Option<Vec<u8>>,
    success_url: Option<String>,
    cancel_url: Option<String>,
    invoice_id: Option<Uuid>,
    expires_at: Timestamp,
    created_at: Timestamp,
    listing_id: Option<Uuid>,
    campaign_id: Option<Uuid>,
    added: Json<Vec<StoredItem>>,
    metadata: Json<BTreeMap<String, String>>,
}

impl Row {
    fn cart(&self) -> Result<Cart, Error> {
        let first = StoredItem {
            product_id: self.product_id,
            variant_id: self.variant_id,
            quantity: self.quantity,
            unit_price: self.unit_price,
        };
        let items = std::iter::once(&first).chain(self.added.iter());
        let items = items.map(StoredItem::item).collect::<Result<_, _>>()?;
        named(Cart::stored(items), "checkout_sessions")
    }

    fn came(&self) -> Option<Came> {
        let listing = self.listing_id.map(ListingId::from_uuid);
        let clicked = self.link_id.zip(self.clicked_at);
        let clicked = clicked.map(|(link, at)| Attribution {
            link: LinkId::from_uuid(link),
            at,
        });
        let campaign = self.campaign_id.map(CampaignId::from_uuid);
        let widget = campaign.map(Came::Campaign);
        listing
            .map(Came::Listing)
            .or(widget)
            .or(clicked.map(Came::Link))
    }
}

/// The columns that say by what a customer came.
#[derive(Default)]
struct Columns {
    clicked: Option<Attribution>,
    campaign: Option<CampaignId>,
    listing: Option<ListingId>,
}

impl Columns {
    fn of(session: &Session) -> Self {
        match session.came {
            None => Self::default(),
            Some(Came::Link(clicked)) => Self {
                clicked: Some(clicked),
                ..Self::default()
            },
            Some(Came::Campaign(campaign)) => Self {
                clicked: Some(by(session, campaign)),
                campaign: Some(campaign),
                ..Self::default()
            },
            Some(Came::Listing(listing)) => Self {
                listing: Some(listing),
                ..Self::default()
            },
        }
    }
}

/// A visit from a widget is a click of its campaign.
pub(super) const fn by(session: &Session, campaign: CampaignId) -> Attribution {
    Attribution {
        link: campaign.link(),
        at: session.created_at,
    }
}

impl TryFrom<Row> for Session {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let (came, cart) = (row.came(), row.cart()?);
        Ok(Self {
            id: CheckoutId::from_uuid(row.session_id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            cart,
            came,
            customer: row.customer_sealed.map(Sealed::from_bytes),
            success_url: row.success_url,
            cancel_url: row.cancel_url,
            metadata: row.metadata.0,
            invoice: row.invoice_id.map(InvoiceId::from_uuid),
            expires_at: row.expires_at,
            created_at: row.created_at,
        })
    }
}
