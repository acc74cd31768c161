//! `GET .../fulfillments` and `.../fulfillments/{ful}` of a merchant's reseller and of a person: what was
//! delivered, newest first.
//!
//! Keeps: no serial is shown whole here, and to the merchant no customer's address. What is of test mode is
//! listed only if it is asked for.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use engine::{
    fulfillments::{Email, Fulfillment, OrderId},
    ids::{FulfillmentId, RelationshipId},
    merchants::Merchant,
    relationships::RelationshipScope,
};
use persistence::{
    fulfillments::{
        get,
        list::{self, Filter},
    },
    relationships::find::find_scope,
};

use super::{
    answer::{Address, Serials, Told},
    customers, export, filter,
};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersRead},
    balances::owner::{in_mode, own_scope, scope_of},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{answer::Answer, csv, page::CursorPage},
};

/// Whose fulfillments, and how much of a customer their reader sees.
pub(super) struct Asked {
    pub(super) app: App,
    pub(super) scope: RelationshipScope,
    pub(super) merchant: Arc<Merchant>,
    pub(super) address: Address,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let asked = Asked::by_merchant(app, &caller, id).await?;
    asked.listed(&query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let asked = Asked::by_person(app, &caller, id).await?;
    asked.listed(&query).await
}

pub(crate) async fn dev_one(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds((relationship, id)): PathIds<(RelationshipId, FulfillmentId)>,
) -> Result<Answer<Told>, ApiError> {
    let asked = Asked::by_merchant(app, &caller, relationship).await?;
    asked.one(id).await
}

pub(crate) async fn portal_one(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, FulfillmentId)>,
) -> Result<Answer<Told>, ApiError> {
    let asked = Asked::by_person(app, &caller, relationship).await?;
    asked.one(id).await
}

impl Asked {
    async fn by_merchant<D>(
        app: App,
        caller: &MerchantKey<D>,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
        let merchant = Arc::clone(caller.merchant());
        Ok(Self {
            app,
            scope,
            merchant,
            address: Address::Masked,
        })
    }

    pub(super) async fn by_person(
        app: App,
        caller: &Session,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        let (scope, _) = own_scope(&app, caller, relationship).await?;
        let merchant = app.engine.merchant(scope.merchant).await?;
        let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
        Ok(Self {
            app,
            scope,
            merchant,
            address: Address::Whole,
        })
    }

    async fn listed(self, query: &Query) -> Result<Response, ApiError> {
        let scope = in_mode(&self.app, self.scope, query).await?;
        let balance = scope.map(|scope| scope.balance.to_string());
        let balance = balance.unwrap_or_default();
        let name = format!("fulfillments {} {balance}", self.scope.relationship);
        let page = CursorPage::read(query, &name)?;
        let filter = Filter {
            customer: self.customer(query).await?,
            ..filter::read(query)?
        };
        let order_id = query.get("external_order_id").map(OrderId::parse);
        let order_id = order_id
            .transpose()
            .map_err(|message| ApiError::field("external_order_id", message))?;
        let file = csv::wanted(query)?;
        let Some(scope) = scope else {
            return Ok(page.answer(Vec::<Told>::new(), None::<i64>));
        };
        let asked = Self { scope, ..self };
        if let Some(order_id) = order_id {
            let found = get::find_by_order_id(&asked.app.database, scope, order_id).await?;
            let told = asked.told(found.into_iter().collect()).await?;
            return Ok(page.answer(told, None::<i64>));
        }
        if file {
            return Ok(export::answer(
                asked.app,
                (scope, asked.merchant),
                asked.address,
                filter,
            ));
        }
        let below = page.position(|text| text.parse().ok())?;
        let found = list::list(&asked.app.database, scope, filter, below, page.limit).await?;
        let next = found.next(|one| one.stamp.version);
        Ok(page.answer(asked.told(found.items).await?, next))
    }

    /// The digest of the address that was asked for, once all orders can be found by theirs.
    async fn customer(&self, query: &Query) -> Result<Option<[u8; 16]>, ApiError> {
        let Some(text) = query.get("email") else {
            return Ok(None);
        };
        let email = Email::parse(text);
        let email = email.ok_or_else(|| ApiError::field("email", "must be an e-mail address"))?;
        customers::catch_up(&self.app).await?;
        let vault = self.app.engine.vault();
        Ok(Some(
            vault.email_fingerprint(self.scope.merchant, email.as_str()),
        ))
    }

    async fn told(&self, found: Vec<Fulfillment>) -> Result<Vec<Told>, ApiError> {
        let mut told = Vec::with_capacity(found.len());
        for one in found {
            told.push(self.show(one, Serials::Omitted).await?);
        }
        Ok(told)
    }

    async fn show(&self, one: Fulfillment, serials: Serials) -> Result<Told, ApiError> {
        let (engine, merchant) = (&self.app.engine, &*self.merchant);
        let told = Told::of(engine, merchant, Arc::new(one), serials).await?;
        let told = told.in_mode(self.scope.test);
        Ok(told.with_address(merchant, self.address))
    }

    async fn one(self, id: FulfillmentId) -> Result<Answer<Told>, ApiError> {
        Ok(Answer::ok(self.find(id, Serials::Masked).await?))
    }

    /// A fulfillment, live or of test mode, or the one 404.
    pub(super) async fn find(&self, id: FulfillmentId, serials: Serials) -> Result<Told, ApiError> {
        let (merchant, relationship) = (self.scope.merchant, self.scope.relationship);
        for test in [false, true] {
            let scope = find_scope(&self.app.database, merchant, relationship, test).await?;
            let Some(scope) = scope else { continue };
            if let Some(found) = get::find(&self.app.database, scope, id).await? {
                return Ok(self.show(found, serials).await?.in_mode(test));
            }
        }
        Err(ApiError::new(Code::NotFound))
    }
}
