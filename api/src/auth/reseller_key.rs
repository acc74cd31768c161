//! A shop's key on `/reseller/v1`.

use std::{marker::PhantomData, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use engine::{
    api_keys::ApiKey,
    fulfillments,
    ids::{KeyId, MerchantId},
    merchants::Merchant,
    money::Currency,
    relationships::RelationshipScope,
};
use uuid::Uuid;

use super::{key_cache::CachedKey, scope::Demand, verify};
use crate::{
    error::{ApiError, Code},
    extract::Changer,
    layers::{call::Call, rate_limit::Class},
    state::App,
};

/// A live reseller key that may do what `D` demands; the call is charged to its bucket.
pub(crate) struct ResellerKey<D> {
    cached: Arc<CachedKey>,
    call: Arc<Call>,
    scope: RelationshipScope,
    demand: PhantomData<D>,
}

impl<D> ResellerKey<D> {
    /// A key that was proved in another way: by the query of a dynamic URL.
    pub(crate) fn proved(cached: Arc<CachedKey>, call: Arc<Call>) -> Result<Self, ApiError> {
        let Some((relationship, balance)) = cached.key.reseller else {
            return Err(ApiError::saying(
                Code::Forbidden,
                "A merchant's key may not be used here: take a reseller's.",
            ));
        };
        let scope = RelationshipScope {
            merchant: cached.key.merchant,
            relationship,
            balance,
            test: cached.key.test,
        };
        Ok(Self {
            cached,
            call,
            scope,
            demand: PhantomData,
        })
    }

    /// Whose data this call may touch.
    pub(crate) fn scope(&self) -> RelationshipScope {
        self.scope
    }

    pub(crate) fn key(&self) -> &ApiKey {
        &self.cached.key
    }

    pub(crate) fn key_id(&self) -> KeyId {
        self.cached.key.id
    }

    pub(crate) fn merchant(&self) -> &Arc<Merchant> {
        &self.cached.merchant
    }

    pub(crate) fn currency(&self) -> Currency {
        self.cached.merchant.currency
    }

    /// The engine's no in this caller's currency.
    pub(crate) fn refuse(&self, error: fulfillments::Error) -> ApiError {
        ApiError::from_engine(error, self.currency())
    }

    /// Takes what this call costs beyond the one that was charged for it.
    pub(crate) fn charge_rest(&self, rest: u32) -> Result<(), ApiError> {
        match self.cached.bucket(Class::Writes).charge_rest(rest) {
            Ok(_standing) => Ok(()),
            Err((_standing, error)) => Err(error),
        }
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }
}

impl<D> Changer for ResellerKey<D> {
    fn name(&self) -> (MerchantId, Uuid) {
        (self.scope.merchant, self.key_id().uuid())
    }
}

impl<D: Demand> FromRequestParts<App> for ResellerKey<D> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let cached = verify::admit::<D>(app, parts).await?;
        Self::proved(cached, Arc::clone(verify::call(parts)?))
    }
}
