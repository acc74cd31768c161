//! A merchant on `/dev/v1`: by its key, or by the session of one of its members.
//!
//! Keeps: a handler names what it demands once, and a key's scopes and a member's role answer to it
//! alike; a key and a session are not taken together.

use std::{marker::PhantomData, net::IpAddr, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use engine::{
    api_keys::{KeyKind, Scopes},
    audit::{Actor, ActorKind},
    ids::MerchantId,
    merchants::Merchant,
    money::Currency,
    persons::Role,
};
use uuid::Uuid;

use super::{
    cookie,
    key_cache::CachedKey,
    member::{Member, role_forbids},
    scope::Demand,
    verify,
};
use crate::{
    error::{ApiError, Code},
    extract::Changer,
    state::App,
};

/// A caller of the merchant that may do what `D` demands; the call is charged to its bucket.
pub(crate) struct MerchantKey<D> {
    who: Who,
    demand: PhantomData<D>,
}

enum Who {
    Key(Arc<CachedKey>, IpAddr),
    Member(Box<Member>),
}

impl<D> MerchantKey<D> {
    /// Whose data this call may touch.
    pub(crate) fn merchant_id(&self) -> MerchantId {
        self.merchant().id
    }

    /// Who calls: what the answers kept for this caller are found by.
    pub(crate) fn name(&self) -> (MerchantId, Uuid) {
        match &self.who {
            Who::Key(cached, _) => (cached.key.merchant, cached.key.id.uuid()),
            Who::Member(member) => member.name(),
        }
    }

    /// Who the audit log says it was.
    pub(crate) fn actor(&self) -> Actor {
        match &self.who {
            Who::Key(cached, address) => Actor {
                kind: ActorKind::ApiKey,
                id: Some(cached.key.id.to_string()),
                label: cached.key.name.clone(),
                ip: Some(*address),
            },
            Who::Member(member) => member.actor(),
        }
    }

    /// What the caller may do at all.
    pub(crate) fn scopes(&self) -> Scopes {
        match &self.who {
            Who::Key(cached, _) => cached.key.scopes,
            Who::Member(member) => member.role.scopes(),
        }
    }

    /// Refuses a caller that may not do what `E` demands besides: where that shows only in what is asked for.
    pub(crate) fn also<E: Demand>(&self) -> Result<(), ApiError> {
        if E::SCOPE.is_none_or(|scope| self.scopes().contains(scope)) {
            return Ok(());
        }
        Err(match &self.who {
            Who::Key(..) => verify::missing_scope::<E>(),
            Who::Member(member) => role_forbids(member.role),
        })
    }

    /// Whether the caller is of test mode; a member is of both, and says which it means.
    pub(crate) fn test(&self) -> bool {
        match &self.who {
            Who::Key(cached, _) => cached.key.test,
            Who::Member(_) => false,
        }
    }

    /// What a member is for the merchant; a key is nobody's.
    pub(crate) fn role(&self) -> Option<Role> {
        match &self.who {
            Who::Key(..) => None,
            Who::Member(member) => Some(member.role),
        }
    }

    pub(crate) fn merchant(&self) -> &Arc<Merchant> {
        match &self.who {
            Who::Key(cached, _) => &cached.merchant,
            Who::Member(member) => &member.merchant,
        }
    }

    pub(crate) fn currency(&self) -> Currency {
        self.merchant().currency
    }
}

impl<D> Changer for MerchantKey<D> {
    fn name(&self) -> (MerchantId, Uuid) {
        Self::name(self)
    }
}

impl<D: Demand> FromRequestParts<App> for MerchantKey<D> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let keyed = parts.headers.contains_key(header::AUTHORIZATION);
        let who = if keyed || !cookie::is_sent(&parts.headers, app.tls()) {
            of_key::<D>(app, parts).await?
        } else {
            Box::pin(of_member::<D>(app, parts)).await?
        };
        Ok(Self {
            who,
            demand: PhantomData,
        })
    }
}

async fn of_key<D: Demand>(app: &App, parts: &Parts) -> Result<Who, ApiError> {
    let cached = verify::admit::<D>(app, parts).await?;
    if cookie::is_sent(&parts.headers, app.tls()) {
        return Err(ApiError::saying(
            Code::BadRequest,
            "Send a key or a session, not both.",
        ));
    }
    match cached.key.kind {
        KeyKind::Merchant => Ok(Who::Key(cached, verify::call(parts)?.address)),
        KeyKind::Reseller => Err(ApiError::saying(
            Code::Forbidden,
            "A reseller's key may not be used here: take the merchant's.",
        )),
    }
}

async fn of_member<D: Demand>(app: &App, parts: &Parts) -> Result<Who, ApiError> {
    let member = Member::admit(app, parts).await?;
    let allowed = D::SCOPE.is_none_or(|scope| member.role.scopes().contains(scope));
    if allowed {
        Ok(Who::Member(Box::new(member)))
    } else {
        Err(role_forbids(member.role))
    }
}
