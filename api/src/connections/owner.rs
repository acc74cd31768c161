//! Whose connections a call is about, and who calls.
//!
//! Keeps the order of every change: stored, taken over by the balance's actor, answered. Another person's
//! relationship is 404, like one that does not exist.

use std::sync::Arc;

use engine::{
    audit::Actor,
    connections::Connection,
    ids::{BalanceId, MerchantId, RelationshipId},
    merchants::Merchant,
};
use persistence::{
    connections::{Scope, Who},
    persons, relationships,
};
use uuid::Uuid;

use super::{ConnectionView, SpentToday};
use crate::{
    api_keys::spent_today,
    auth::{MerchantKey, Session},
    error::{ApiError, Code},
    extract::Changer,
    state::App,
};

/// A relationship, as its reseller or its merchant acts in it.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) merchant: Arc<Merchant>,
    pub(super) relationship: RelationshipId,
    actor: Actor,
    name: (MerchantId, Uuid),
}

impl Changer for Owner {
    fn name(&self) -> (MerchantId, Uuid) {
        self.name
    }
}

impl Owner {
    /// The person who is signed in, in one of its relationships.
    pub(super) async fn reseller(
        app: &App,
        session: &Session,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        let person = session.person_id();
        let own = persons::relationship_of(&app.database, person, relationship).await?;
        let own = own.ok_or_else(not_found)?;
        let merchant = app.engine.merchant(own.merchant).await?;
        Ok(Self {
            merchant: merchant.ok_or_else(|| ApiError::new(Code::InternalError))?,
            relationship,
            actor: session.actor(),
            name: (own.merchant, person.uuid()),
        })
    }

    /// The merchant, about one of its resellers, or another's: then nothing is found.
    pub(super) fn merchant<D>(caller: &MerchantKey<D>, relationship: RelationshipId) -> Self {
        Self {
            merchant: Arc::clone(caller.merchant()),
            relationship,
            actor: caller.actor(),
            name: caller.name(),
        }
    }

    pub(super) fn scope(&self) -> Scope {
        Scope {
            merchant: self.merchant.id,
            relationship: self.relationship,
        }
    }

    pub(super) fn who(&self) -> Who {
        (self.scope(), self.actor.clone())
    }

    /// What a list of these connections is called, so that no cursor of another list fits.
    pub(super) fn list_name(&self) -> String {
        format!("connections {}", self.relationship)
    }

    /// Takes a stored change of a connection into force.
    pub(super) async fn take_over(
        &self,
        app: &App,
        balances: &[BalanceId],
    ) -> Result<(), ApiError> {
        app.take_over(self.relationship, balances).await
    }

    /// Connections with what they spent today. They are shown although the balance is unwell: what they
    /// spent is then unknown.
    pub(super) async fn show(
        &self,
        app: &App,
        connections: &[Connection],
    ) -> Result<Vec<ConnectionView>, ApiError> {
        let (merchant, id) = (self.merchant.id, self.relationship);
        let found = relationships::find::find_scope(&app.database, merchant, id, false).await?;
        let balance = app.engine.balance(found.ok_or_else(not_found)?).await;
        let spending = balance.inspect_err(|fault| {
            tracing::warn!(relationship.id = %id, "cannot tell what connections spent: {fault}");
        });
        let spending = spending.ok().map(|balance| balance.spending);
        let views = connections.iter().map(|connection| {
            let spent = spending.as_ref();
            let spent = spent.map(|spending| spent_today(spending, connection.key(), app.now()));
            let spent = SpentToday(self.merchant.currency, spent);
            ConnectionView::of(connection, &app.origin, spent)
        });
        Ok(views.collect())
    }

    /// One of them.
    pub(super) async fn show_one(
        &self,
        app: &App,
        connection: Connection,
    ) -> Result<ConnectionView, ApiError> {
        let mut shown = self.show(app, &[connection]).await?;
        shown
            .pop()
            .ok_or_else(|| ApiError::new(Code::InternalError))
    }
}

pub(super) fn not_found() -> ApiError {
    ApiError::new(Code::NotFound)
}
