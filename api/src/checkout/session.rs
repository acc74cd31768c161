//! A visit begins, from a page or from a merchant's own shop.

use std::{collections::BTreeMap, sync::Arc};

use axum::response::Response;
use chrono::TimeDelta;
use engine::{
    catalog::{Product, Sku},
    checkout::{
        self, Came, Cart, Item, Page, Quote, SESSION_MINUTES, Session, Unsold, digest, quote, token,
    },
    fulfillments::Email,
    ids::{CheckoutId, ProductId, VariantId},
    merchants::Merchant,
    money::Money,
};
use persistence::{
    campaigns,
    checkout::{NewSession, insert},
    listings,
};

use super::{
    form::{Customer, Form},
    look::see_other,
    session_path,
};
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// What a visit is about.
pub(super) struct Wish {
    pub(super) id: CheckoutId,
    pub(super) sku: Sku,
    pub(super) quantity: u32,
    pub(super) email: Option<Email>,
    pub(super) came: Option<Came>,
    pub(super) success_url: Option<String>,
    pub(super) cancel_url: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// A product, and whose it is.
pub(super) struct Ware {
    pub(super) product: Arc<Product>,
    pub(super) merchant: Arc<Merchant>,
}

impl Ware {
    /// The product with this id, whatever became of it.
    pub(super) async fn find(app: &App, id: ProductId) -> Result<Self, ApiError> {
        let missing = || ApiError::new(Code::NotFound);
        let product = app.engine.product(id).await?.ok_or_else(missing)?;
        let merchant = app.engine.merchant(product.merchant).await?;
        let merchant = merchant.ok_or_else(missing)?;
        Ok(Self { product, merchant })
    }

    /// At the catalog's price.
    pub(super) fn quote(&self, sku: Sku, quantity: u32) -> Result<Quote, ApiError> {
        quote(&self.product, sku, quantity, None).map_err(unsold)
    }

    /// At the price of a listing.
    pub(super) fn quote_at(
        &self,
        sku: Sku,
        quantity: u32,
        listed: Money,
    ) -> Result<Quote, ApiError> {
        quote(&self.product, sku, quantity, Some(listed)).map_err(unsold)
    }

    /// What so many units cost now of what a customer came for.
    pub(super) async fn quote_for(
        &self,
        app: &App,
        came: Option<Came>,
        (sku, quantity): (Sku, u32),
    ) -> Result<Quote, ApiError> {
        match came {
            None | Some(Came::Link(_)) => self.quote(sku, quantity),
            Some(Came::Campaign(id)) => {
                let of = (self.merchant.id, id);
                if !campaigns::sells(&app.database, of, sku).await? {
                    return Err(not_offered());
                }
                self.quote(sku, quantity)
            }
            Some(Came::Listing(id)) => {
                let offered = listings::find(&app.database, id).await?;
                let listing = offered.ok_or_else(not_offered)?.judged.listing;
                if (listing.product, listing.variant) != (sku.product, sku.variant) {
                    return Err(not_offered());
                }
                self.quote_at(sku, quantity, listing.price)
            }
        }
    }
}

/// Begins the visit that the form of a page asks for, and sends its browser there.
pub(super) async fn visit(
    app: &App,
    (customer, form): (&Customer, &Form),
    ware: &Ware,
    (sku, came): (Sku, Option<Came>),
) -> Result<Response, ApiError> {
    if !app.checkouts.take(&customer.address.to_string(), app.now()) {
        return Err(ApiError::new(Code::RateLimited));
    }
    let wish = Wish {
        id: CheckoutId::generate(app.now(), &**app.engine.random()),
        sku,
        quantity: form.quantity()?,
        email: form.email()?,
        came,
        success_url: None,
        cancel_url: None,
        metadata: BTreeMap::new(),
    };
    let session = begin(app, ware, wish).await?;
    Ok(see_other(&session_path(app, session.id)))
}

/// Stores a visit at the price of this moment.
pub(super) async fn begin(app: &App, ware: &Ware, wish: Wish) -> Result<Session, ApiError> {
    let now = app.now();
    let quote = ware
        .quote_for(app, wish.came, (wish.sku, wish.quantity))
        .await?;
    let email = wish.email.as_ref();
    let customer = email.map(|email| {
        let key = &ware.merchant.key;
        key.seal_customer(wish.id.uuid(), email.as_str())
    });
    let session = Session {
        id: wish.id,
        merchant: ware.merchant.id,
        cart: Cart::of(Item {
            sku: wish.sku,
            quantity: wish.quantity,
            unit_price: quote.unit_price,
        }),
        came: wish.came,
        customer,
        success_url: wish.success_url,
        cancel_url: wish.cancel_url,
        metadata: wish.metadata,
        invoice: None,
        expires_at: now + TimeDelta::minutes(SESSION_MINUTES),
        created_at: now,
    };
    let token = token(app.engine.vault(), Page::Checkout, wish.id.uuid());
    let token = digest(token.expose()).expect("a token has the form of one");
    let begun = NewSession {
        session: session.clone(),
        token,
    };
    if insert(&app.database, begun).await? {
        return Ok(session);
    }
    let known = persistence::checkout::find_session(&app.database, token).await?;
    known.ok_or_else(|| ApiError::new(Code::NotFound))
}

/// A variant as a form or a body names it. A malformed id is one that nothing has.
pub(super) fn sku(product: ProductId, variant: Option<&str>) -> Sku {
    let nothing = VariantId::from_uuid(uuid::Uuid::nil());
    Sku {
        product,
        variant: variant.map(|id| VariantId::parse(id).unwrap_or(nothing)),
    }
}

/// One page for all that is no offer, whatever the reason.
pub(super) fn not_offered() -> ApiError {
    ApiError::saying(
        Code::ProductNotAllowed,
        "This offer is not available. Ask whoever sent you here for a new one.",
    )
}

pub(super) fn unsold(why: Unsold) -> ApiError {
    match why {
        Unsold::NotOnSale => ApiError::saying(
            Code::ProductNotAllowed,
            "This is not on sale at the moment.",
        ),
        Unsold::VariantMissing => {
            ApiError::field("variant_id", "is required: the product has variants")
        }
        Unsold::Quantity => {
            let most = checkout::QUANTITY_MAX;
            ApiError::field("quantity", format!("must be 1 to {most}"))
        }
    }
}
