//! What a merchant says about its BTCPay Server becomes a store, once the server was asked.
//!
//! Keeps: a secret is sealed before it is stored and shown to nobody; one that is not given again stays only
//! with the address that it was given for.

use engine::{
    ids::StoreId,
    payments::Store,
    vault::{Opened, Vault},
};

use super::client::{Shop, Trouble};
use crate::{
    error::{ApiError, Code},
    state::App,
    webhooks::target::check_resolved,
};

/// What stands for a secret that is there.
pub(in crate::payments) const MASK: &str = "********";
const NAME_CHARS_MAX: usize = 128;
const SECRET_CHARS_MAX: usize = 256;

/// As it is written.
pub(in crate::payments) struct Given {
    pub(in crate::payments) url: Option<String>,
    pub(in crate::payments) store_id: Option<String>,
    pub(in crate::payments) token: Option<String>,
    pub(in crate::payments) webhook_secret: Option<String>,
}

/// The store that is meant: the one that is there, if nothing is new.
pub(in crate::payments) async fn store(
    app: &App,
    given: Given,
    kept: Option<&Store>,
) -> Result<Store, ApiError> {
    let url = given.url.unwrap_or_default();
    let checked = check_resolved(&url, app.webhook_rules).await;
    checked.map_err(|refused| ApiError::field("url", refused.says()))?;
    let url = url.trim_end_matches('/').to_owned();
    let name = word(given.store_id, "store_id", NAME_CHARS_MAX)?;
    let name = name.ok_or_else(|| ApiError::field("store_id", "must not be empty"))?;
    let kept = kept.filter(|kept| kept.url == url && kept.name == name);
    let token = word(unmasked(given.token), "token", SECRET_CHARS_MAX)?;
    let notices = word(
        unmasked(given.webhook_secret),
        "webhook_secret",
        SECRET_CHARS_MAX,
    )?;
    let vault = app.engine.vault();
    let nothing_new = token.is_none() && notices.is_none();
    let old = kept.map(|kept| secrets(vault, kept)).transpose()?;
    let (old_token, old_notices) = old.unzip();
    let token = token.map(Opened::new).or(old_token);
    let token = token.ok_or_else(|| ApiError::field("token", "must not be empty"))?;
    let shop = Shop {
        url: &url,
        name: &name,
        token: token.clone(),
    };
    app.shops
        .check(&shop)
        .await
        .map_err(|trouble| match trouble {
            Trouble::Refused => ApiError::field("token", "is not taken there for this store"),
            Trouble::Unavailable => ApiError::new(Code::ProviderUnavailable),
        })?;
    if let Some(kept) = kept.filter(|_| nothing_new) {
        return Ok(kept.clone());
    }
    let id = StoreId::generate(app.now(), &**app.engine.random());
    let notices = notices.map(Opened::new).or(old_notices.flatten());
    Ok(Store {
        id,
        url,
        name,
        token: vault.seal_store_token(id, token.expose()),
        notices: notices.map(|secret| vault.seal_store_notices(id, secret.expose())),
    })
}

fn secrets(vault: &Vault, store: &Store) -> Result<(Opened, Option<Opened>), ApiError> {
    let broken = |_| ApiError::new(Code::InternalError);
    let token = vault.open_store_token(store.id, &store.token);
    let notices = store.notices.as_ref();
    let notices = notices.map(|sealed| vault.open_store_notices(store.id, sealed));
    Ok((token.map_err(broken)?, notices.transpose().map_err(broken)?))
}

fn unmasked(text: Option<String>) -> Option<String> {
    text.filter(|text| text != MASK)
}

/// A text without spaces, if there is one.
fn word(text: Option<String>, field: &'static str, max: usize) -> Result<Option<String>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let fits = text.len() <= max && text.bytes().all(|byte| byte.is_ascii_graphic());
    let message = || format!("must be at most {max} letters, digits and signs without a space");
    if fits {
        Ok(Some(text))
    } else {
        Err(ApiError::field(field, message()))
    }
}
