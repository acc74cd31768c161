//! A key in an address where none belongs: addresses end up in logs and histories, so whoever can read
//! those can buy.
//!
//! Keeps: such a call, of whatever route or of none, has no effect, not even beside a good key in its header; the
//! key's id, never its text, is logged, and told to whoever it belongs to, once a day; and only if the key is good:
//! anybody can make up a bad one.

use std::sync::Arc;

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use engine::api_keys::KeyText;
use persistence::api_keys;

use super::{key_cache::CachedKey, verify};
use crate::{
    error::{ApiError, Code},
    extract::Query,
    layers::call::Call,
    metrics,
    state::App,
};

/// The parameter that carries a key, on the one address that takes it.
const PARAMETER: &str = "api_key";

/// What stands in a query where no key belongs.
pub(crate) enum Exposed {
    /// A well-formed key, under whatever name.
    Key(KeyText),
    /// Something else under the name of the key.
    Other,
}

impl Exposed {
    /// Most requests have no query, and cost nothing here.
    pub(crate) fn find(query: Option<&str>) -> Option<Self> {
        let query = query?;
        let Ok(pairs) = Query::parse(query) else {
            // What cannot be read is refused by whoever reads it, unless it may hold a key.
            return query.contains(PARAMETER).then_some(Self::Other);
        };
        let key = pairs.pairs().find_map(|(_, value)| KeyText::parse(value));
        match key {
            Some(key) => Some(Self::Key(key)),
            None => pairs.get(PARAMETER).map(|_| Self::Other),
        }
    }

    /// The refusal, after the key was noted if it is a good one.
    pub(crate) async fn refusal(self, app: &App, call: &Call) -> ApiError {
        if let Self::Key(text) = self {
            let found = match verify::verify(app, &text, call.address).await {
                Ok(found) => found,
                Err(refusal) => return refusal,
            };
            let key = found.key.id;
            metrics::key_exposed();
            let route = call.route().map_or("none", |route| route.template);
            tracing::warn!(
                key.id = %key,
                route,
                "key {key} was sent in a URL where it does not belong: replace it"
            );
            tell(app, &found).await;
        }
        verify::failed(app, call.address)
    }
}

/// Tells the owner of a key. What cannot be told now is told with the next call.
async fn tell(app: &App, cached: &CachedKey) {
    let (id, now) = (cached.key.id, app.now());
    let name = id.to_string();
    if !app.exposures.take(&name, now) {
        return;
    }
    let reseller = cached.key.reseller.map(|(relationship, _)| relationship);
    let of = (cached.key.merchant, reseller);
    if let Err(error) = api_keys::tell_exposed(&app.database, of, id, now).await {
        app.exposures.give_back(&name, now);
        tracing::warn!(key.id = %id, %error, "could not tell of the exposed key {id}: {error}");
    }
}

/// Answers a request that has a key where none belongs.
pub(crate) async fn refuse(exposed: Exposed, app: App, request: Request) -> Response {
    let Some(call) = request.extensions().get::<Arc<Call>>() else {
        return ApiError::new(Code::InternalError).into_response();
    };
    exposed.refusal(&app, call).await.into_response()
}

#[cfg(test)]
mod tests {
    use engine::{api_keys::KeyKind, clock, ids::KeyId, random::SeededRandom};

    use super::*;
    use crate::extract::query::escaped;

    #[test]
    fn key_in_a_query_is_noticed_however_it_is_written() {
        let random = SeededRandom::new(1);
        let id = KeyId::generate(clock::EPOCH, &random);
        let key = KeyText::generate(KeyKind::Reseller, false, id, &random).expose();
        let key = key.expose();
        for query in [
            format!("api_key={key}"),
            format!("a=b&api_key={}", escaped(key)),
            format!("{}={key}", escaped("api_key")),
            format!("token={key}"),
        ] {
            let found = Exposed::find(Some(&query));
            let right = matches!(&found, Some(Exposed::Key(key)) if key.id == id);
            assert!(right, "{query}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_under_the_keys_name_only() {
        for query in ["api_key=x", "api_key", "a=%zz&api_key=x"] {
            let found = Exposed::find(Some(query));
            assert!(matches!(found, Some(Exposed::Other)), "{query}");
        }
        for query in [Some("a=%zz"), Some("my_api_key=x"), Some("page=2"), None] {
            assert!(Exposed::find(query).is_none(), "{query:?}");
        }
    }
}
