//! Whose key it is: text -> a live key, or the one 401 that says nothing else.
//!
//! Keeps: a good key is never refused because others behind its address failed; what fails there too
//! often costs no look-up of its own.

use std::{net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, header, request::Parts};
use engine::{api_keys::KeyText, ids::KeyId, vault::Opened};
use subtle::ConstantTimeEq;

use super::{key_cache::CachedKey, scope::Demand};
use crate::{
    error::{ApiError, Code},
    layers::{
        call::Call,
        rate_limit::{self, Class},
    },
    state::App,
};

/// Compared with when there is no such key, so that it takes as long.
const DUMMY_DIGEST: [u8; 32] = [0; 32];
const DUMMY_URL_SECRET: &str = "no key has this secret, which is as long as one";
const SCHEME: &str = "Bearer ";

/// Everything that is asked of a caller before its body is read, in the documented order: key,
/// address, bucket, surface and scope.
pub(super) async fn admit<D: Demand>(app: &App, parts: &Parts) -> Result<Arc<CachedKey>, ApiError> {
    let call = call(parts)?;
    let key = match bearer(&parts.headers) {
        Some(text) => verify(app, &text, call.address).await?,
        None => return Err(failed(app, call.address)),
    };
    enter(app, &key, call, D::CLASS)?;
    let scoped = D::SCOPE.is_none_or(|scope| key.key.scopes.contains(scope));
    if scoped {
        Ok(key)
    } else {
        Err(missing_scope::<D>())
    }
}

/// The call that a request belongs to.
pub(crate) fn call(parts: &Parts) -> Result<&Arc<Call>, ApiError> {
    parts
        .extensions
        .get::<Arc<Call>>()
        .ok_or_else(|| ApiError::new(Code::InternalError))
}

/// Checks the address, charges the bucket, notes the use.
pub(crate) fn enter(app: &App, key: &CachedKey, call: &Call, class: Class) -> Result<(), ApiError> {
    call.authenticated(key.key.id);
    let nets = &key.key.ip_allow_list;
    if !nets.is_empty() && !nets.iter().any(|net| net.contains(&call.address)) {
        return Err(ApiError::new(Code::IpNotAllowed));
    }
    match key.bucket(class).charge(1) {
        Ok(standing) => call.charged(standing),
        Err((standing, error)) => {
            call.charged(standing);
            return Err(error);
        }
    }
    app.used(key, call.address);
    Ok(())
}

/// The live key that this text is, or the 401 of all others.
pub(crate) async fn verify(
    app: &App,
    text: &KeyText,
    address: IpAddr,
) -> Result<Arc<CachedKey>, ApiError> {
    let digest = app
        .engine
        .vault()
        .key_digest(text.kind.prefix(), text.id, text.secret.expose());
    let now = app.now();
    let cached = app.keys.find(text.id);
    // Who does not have the secret learns nothing from the cache, not even by how long it takes.
    let same = |cached: &&Arc<CachedKey>| digest.ct_eq(&cached.key.digest).into();
    let proved = cached.as_ref().filter(same).map(Arc::clone);
    let screened = proved.is_none() && app.failures.exhausted(address, now);
    match &proved {
        Some(cached) if !cached.claim_recheck(now) => {
            return alive(app, Arc::clone(cached), text, address);
        }
        None if screened => screen(app, text.id, cached.is_some()).await?,
        Some(_) | None => {}
    }
    // In a box: who has a cached key must not carry the room for a look-up.
    let seen = app.keys.seen();
    let loaded = Box::pin(app.load_key(text.id)).await;
    let found = match (loaded, proved) {
        (Ok(found), _) => found,
        // Storage is away for a moment: what was proved is believed until the next look.
        (Err(_), Some(cached)) => return alive(app, cached, text, address),
        (Err(error), None) => return Err(error),
    };
    let stored = found.as_ref().map_or(&DUMMY_DIGEST, |key| &key.key.digest);
    let same = bool::from(digest.ct_eq(stored));
    match found {
        Some(key) if same => alive(app, app.keys.keep(Arc::new(key), seen, now), text, address),
        Some(key) => {
            if screened {
                // The next wrong secret for it costs no look-up. There are only so many keys.
                app.keys.keep(Arc::new(key), seen, now);
            }
            Err(failed(app, address))
        }
        None => {
            app.keys.drop_unknown(text.id);
            Err(failed(app, address))
        }
    }
}

/// The live key under this id, if a signature holds that its secret for URLs made.
pub(crate) async fn verify_signed(
    app: &App,
    id: KeyId,
    address: IpAddr,
    holds: impl Fn(&str) -> bool,
) -> Result<Arc<CachedKey>, ApiError> {
    let now = app.now();
    let cached = app.keys.find(id);
    let signed = |cached: &&Arc<CachedKey>| signed_with(app, Some(cached), &holds);
    let proved = cached.as_ref().filter(signed);
    let screened = proved.is_none() && app.failures.exhausted(address, now);
    match proved {
        Some(cached) if !cached.claim_recheck(now) => {
            return if live(app, cached) {
                Ok(Arc::clone(cached))
            } else {
                Err(failed(app, address))
            };
        }
        None if screened => screen(app, id, cached.is_some()).await?,
        Some(_) | None => {}
    }
    let seen = app.keys.seen();
    let found = Box::pin(app.load_key(id)).await?.map(Arc::new);
    let held = signed_with(app, found.as_deref(), &holds);
    match found {
        Some(key) if held && live(app, &key) => Ok(app.keys.keep(key, seen, now)),
        Some(key) if screened => {
            app.keys.keep(key, seen, now);
            Err(failed(app, address))
        }
        Some(_) | None => Err(failed(app, address)),
    }
}

/// Lets only existing keys through to be looked up, for callers who failed too often. One that is in
/// the cache was not proved there, and cannot be: the secret of a key never changes.
async fn screen(app: &App, id: KeyId, cached: bool) -> Result<(), ApiError> {
    if cached || !Box::pin(app.knows_key(id)).await? {
        return Err(rate_limit::too_many_failures(app.now()));
    }
    Ok(())
}

/// Whether a signature holds under the key's secret for URLs. Without one it is tried with a dummy, so
/// that it takes as long.
fn signed_with(app: &App, key: Option<&CachedKey>, holds: &impl Fn(&str) -> bool) -> bool {
    let secret = key.and_then(|cached| {
        let sealed = cached.key.url_secret.as_ref()?;
        app.engine
            .vault()
            .open_url_secret(cached.key.id, sealed)
            .ok()
    });
    let held = holds(secret.as_ref().map_or(DUMMY_URL_SECRET, Opened::expose));
    held && secret.is_some()
}

/// Whether a key may be used now.
fn live(app: &App, key: &CachedKey) -> bool {
    key.key.is_live(app.now())
}

fn alive(
    app: &App,
    key: Arc<CachedKey>,
    text: &KeyText,
    address: IpAddr,
) -> Result<Arc<CachedKey>, ApiError> {
    let same = key.key.kind == text.kind && key.key.test == text.test;
    if same && live(app, &key) {
        Ok(key)
    } else {
        Err(failed(app, address))
    }
}

/// Counts a failure against the address and answers it.
pub(crate) fn failed(app: &App, address: IpAddr) -> ApiError {
    let now = app.now();
    if app.failures.exhausted(address, now) {
        return rate_limit::too_many_failures(now);
    }
    app.failures.record(address, now);
    ApiError::new(Code::Unauthorized)
}

pub(crate) fn missing_scope<D: Demand>() -> ApiError {
    let error = ApiError::new(Code::Forbidden);
    match D::SCOPE {
        Some(scope) => error.detail("scope", format!("`{}` is missing", scope.name())),
        None => error,
    }
}

fn bearer(headers: &HeaderMap) -> Option<KeyText> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let text = values.next()?.to_str().ok()?;
    let (scheme, key) = text.split_at_checked(SCHEME.len())?;
    let once = values.next().is_none() && scheme.eq_ignore_ascii_case(SCHEME);
    if once { KeyText::parse(key) } else { None }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use engine::{api_keys::KeyKind, clock, ids::KeyId, random::SeededRandom};
    use proptest::prelude::*;

    use super::*;

    fn read(values: &[&str]) -> Option<KeyText> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).ok()?);
        }
        bearer(&headers)
    }

    #[test]
    fn bearer_key_is_read_once_and_whole() {
        let random = SeededRandom::new(1);
        let id = KeyId::generate(clock::EPOCH, &random);
        let key = KeyText::generate(KeyKind::Reseller, false, id, &random).expose();
        let (sent, lower) = (
            format!("Bearer {}", key.expose()),
            format!("bearer {}", key.expose()),
        );
        assert_eq!(read(&[&sent]).unwrap().id, id);
        assert_eq!(read(&[&lower]).unwrap().id, id);
        assert!(read(&[&sent, &sent]).is_none());
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            key.expose(),
            &format!("{sent} "),
        ] {
            assert!(read(&[value]).is_none(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_none(value in "[ -~]{0,100}") {
            prop_assert!(read(&[&value]).is_none());
        }
    }
}
