//! Whose keys a call is about, and who calls.
//!
//! Keeps the order of every change: stored, forgotten by the cache, taken over by the balance's actor,
//! answered. Another person's relationship is 404, like one that does not exist.

use std::sync::Arc;

use engine::{
    api_keys::KeyKind,
    audit::Actor,
    ids::{BalanceId, KeyId, MerchantId, RelationshipId},
    merchants::Merchant,
};
use persistence::{api_keys::KeyScope, persons};
use uuid::Uuid;

use super::Owner;
use crate::{
    auth::{MerchantKey, Session, member::Member},
    error::{ApiError, Code},
    extract::Changer,
    state::App,
};

/// The keys of a relationship, or a merchant's own.
#[derive(Clone)]
pub(super) struct Keyring {
    pub(super) merchant: Arc<Merchant>,
    relationship: Option<RelationshipId>,
    actor: Actor,
    name: (MerchantId, Uuid),
}

impl Changer for Keyring {
    fn name(&self) -> (MerchantId, Uuid) {
        self.name
    }
}

impl Keyring {
    /// Of a relationship of the person who is signed in.
    pub(super) async fn of_reseller(
        app: &App,
        session: &Session,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        let person = session.person_id();
        let own = persons::relationship_of(&app.database, person, relationship).await?;
        let own = own.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let merchant = app.engine.merchant(own.merchant).await?;
        Ok(Self {
            merchant: merchant.ok_or_else(|| ApiError::new(Code::InternalError))?,
            relationship: Some(relationship),
            actor: session.actor(),
            name: (own.merchant, person.uuid()),
        })
    }

    /// Of a relationship of this merchant, or of another's: then nothing is found.
    pub(super) fn of_merchants_reseller<D>(
        caller: &MerchantKey<D>,
        relationship: RelationshipId,
    ) -> Self {
        Self {
            merchant: Arc::clone(caller.merchant()),
            relationship: Some(relationship),
            actor: caller.actor(),
            name: caller.name(),
        }
    }

    /// Of the merchant itself.
    pub(super) fn of_merchant(member: &Member) -> Self {
        Self {
            merchant: Arc::clone(&member.merchant),
            relationship: None,
            actor: member.actor(),
            name: member.name(),
        }
    }

    pub(super) fn scope(&self) -> KeyScope {
        KeyScope {
            merchant: self.merchant.id,
            relationship: self.relationship,
        }
    }

    pub(super) fn who(&self) -> (KeyScope, Actor) {
        (self.scope(), self.actor.clone())
    }

    pub(super) fn kind(&self) -> KeyKind {
        match self.relationship {
            Some(_) => KeyKind::Reseller,
            None => KeyKind::Merchant,
        }
    }

    /// What a list of these keys is called, so that no cursor of another list fits.
    pub(super) fn list_name(&self) -> String {
        match self.relationship {
            Some(relationship) => format!("api-keys {relationship}"),
            None => format!("api-keys {}", self.merchant.id),
        }
    }

    /// What shows these keys, or 404.
    pub(super) async fn owner(&self, app: &App) -> Result<Owner, ApiError> {
        match self.relationship {
            Some(relationship) => Owner::find(app, &self.merchant, relationship).await,
            None => Ok(Owner::of_merchant(&self.merchant)),
        }
    }

    /// Takes a stored change of a key into force.
    pub(super) async fn take_over(
        &self,
        app: &App,
        key: KeyId,
        balances: &[BalanceId],
    ) -> Result<(), ApiError> {
        app.forget_key(key);
        match self.relationship {
            Some(relationship) => app.take_over(relationship, balances).await,
            None => Ok(()),
        }
    }
}
