//! Whose webhooks a call is about, and who calls. Another person's relationship is 404, like one that does
//! not exist.

use engine::{
    audit::Actor,
    ids::{MerchantId, RelationshipId},
    money::Currency,
};
use persistence::{
    persons,
    webhooks::{Side, Who},
};
use uuid::Uuid;

use super::not_found;
use crate::{
    auth::{MerchantKey, Session},
    error::ApiError,
    extract::Changer,
    state::App,
};

/// The merchant, or a reseller in one relationship.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) side: Side,
    pub(super) currency: Currency,
    actor: Actor,
    name: (MerchantId, Uuid),
}

impl Changer for Owner {
    fn name(&self) -> (MerchantId, Uuid) {
        self.name
    }
}

impl Owner {
    pub(super) fn merchant<D>(caller: &MerchantKey<D>) -> Self {
        Self {
            side: Side {
                merchant: caller.merchant_id(),
                relationship: None,
            },
            currency: caller.currency(),
            actor: caller.actor(),
            name: caller.name(),
        }
    }

    /// The person who is signed in, in one of its relationships.
    pub(super) async fn reseller(
        app: &App,
        session: &Session,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        let person = session.person_id();
        let own = persons::program(&app.database, person, relationship).await?;
        let own = own.ok_or_else(not_found)?;
        Ok(Self {
            side: Side {
                merchant: own.merchant,
                relationship: Some(relationship),
            },
            currency: own.currency,
            actor: session.actor(),
            name: (own.merchant, person.uuid()),
        })
    }

    pub(super) fn who(&self) -> Who {
        (self.side, self.actor.clone())
    }

    pub(super) fn is_reseller(&self) -> bool {
        self.side.relationship.is_some()
    }

    /// What a list of these webhooks is called, so that no cursor of another list fits.
    pub(super) fn list_name(&self) -> String {
        match self.side.relationship {
            Some(relationship) => format!("webhooks {relationship}"),
            None => format!("webhooks {}", self.side.merchant),
        }
    }
}
