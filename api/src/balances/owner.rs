//! Whose balance a merchant or a person reads or changes: found by the relationship, or the one 404.

use engine::{
    audit::Actor,
    ids::{MerchantId, RelationshipId},
    money::Currency,
    relationships::RelationshipScope,
};
use persistence::{persons, relationships::find::find_scope};
use uuid::Uuid;

use crate::{
    auth::{MerchantKey, Session},
    error::{ApiError, Code},
    extract::{Changer, Query},
    state::App,
    wire::filters,
};

/// The live balance of a relationship of the person who is signed in.
pub(crate) async fn own_scope(
    app: &App,
    caller: &Session,
    relationship: RelationshipId,
) -> Result<(RelationshipScope, Currency), ApiError> {
    let own = persons::program(&app.database, caller.person_id(), relationship).await?;
    let own = own.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let scope = scope_of(app, own.merchant, relationship).await?;
    Ok((scope, own.currency))
}

/// The live balance of a merchant's reseller, or 404.
pub(crate) async fn scope_of(
    app: &App,
    merchant: MerchantId,
    relationship: RelationshipId,
) -> Result<RelationshipScope, ApiError> {
    let scope = find_scope(&app.database, merchant, relationship, false).await?;
    scope.ok_or_else(|| ApiError::new(Code::NotFound))
}

/// The balance that somebody reads who has `live`: that one, or with `test=true` that of test mode; none of
/// a relationship that tried nothing out.
pub(crate) async fn in_mode(
    app: &App,
    live: RelationshipScope,
    query: &Query,
) -> Result<Option<RelationshipScope>, ApiError> {
    if filters::flag(query, "test")? != Some(true) {
        return Ok(Some(live));
    }
    Ok(find_scope(&app.database, live.merchant, live.relationship, true).await?)
}

/// The same; 404 if nothing was tried out.
pub(crate) async fn one_in_mode(
    app: &App,
    live: RelationshipScope,
    query: &Query,
) -> Result<RelationshipScope, ApiError> {
    let scope = in_mode(app, live, query).await?;
    scope.ok_or_else(|| ApiError::new(Code::NotFound))
}

/// A caller who changes something about a live balance, on either side of it.
pub(crate) struct Asker {
    pub(crate) scope: RelationshipScope,
    pub(crate) currency: Currency,
    pub(crate) actor: Actor,
    caller: Uuid,
}

impl Asker {
    /// The person whose balance it is.
    pub(crate) async fn own(
        app: &App,
        caller: &Session,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        let (scope, currency) = own_scope(app, caller, relationship).await?;
        Ok(Self {
            scope,
            currency,
            actor: caller.actor(),
            caller: caller.person_id().uuid(),
        })
    }

    /// The merchant whose reseller's balance it is.
    pub(crate) async fn merchant<D>(
        app: &App,
        caller: &MerchantKey<D>,
        relationship: RelationshipId,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            scope: scope_of(app, caller.merchant_id(), relationship).await?,
            currency: caller.currency(),
            actor: caller.actor(),
            caller: caller.name().1,
        })
    }
}

impl Changer for Asker {
    fn name(&self) -> (MerchantId, Uuid) {
        (self.scope.merchant, self.caller)
    }
}
