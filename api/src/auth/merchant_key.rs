//! A merchant's key on `/dev/v1`.

use std::{marker::PhantomData, net::IpAddr, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use engine::{
    api_keys::{ApiKey, KeyKind},
    audit::{Actor, ActorKind},
    ids::{KeyId, MerchantId},
    merchants::Merchant,
    money::Currency,
};

use super::{key_cache::CachedKey, scope::Demand, verify};
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// A live merchant key that may do what `D` demands; the call is charged to its bucket.
pub(crate) struct MerchantKey<D> {
    cached: Arc<CachedKey>,
    address: IpAddr,
    demand: PhantomData<D>,
}

impl<D> MerchantKey<D> {
    /// Whose data this call may touch.
    pub(crate) fn merchant_id(&self) -> MerchantId {
        self.cached.key.merchant
    }

    /// Who calls: what the answers kept for this caller are found by.
    pub(crate) fn name(&self) -> (MerchantId, KeyId) {
        (self.cached.key.merchant, self.cached.key.id)
    }

    /// Who the audit log says it was.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::ApiKey,
            id: Some(self.cached.key.id.to_string()),
            label: self.cached.key.name.clone(),
            ip: Some(self.address),
        }
    }

    pub(crate) fn key(&self) -> &ApiKey {
        &self.cached.key
    }

    pub(crate) fn merchant(&self) -> &Arc<Merchant> {
        &self.cached.merchant
    }

    pub(crate) fn currency(&self) -> Currency {
        self.cached.merchant.currency
    }
}

impl<D: Demand> FromRequestParts<App> for MerchantKey<D> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let cached = verify::admit::<D>(app, parts).await?;
        match cached.key.kind {
            KeyKind::Merchant => Ok(Self {
                cached,
                address: verify::call(parts)?.address,
                demand: PhantomData,
            }),
            KeyKind::Reseller => Err(ApiError::saying(
                Code::Forbidden,
                "A reseller's key may not be used here: take the merchant's.",
            )),
        }
    }
}
