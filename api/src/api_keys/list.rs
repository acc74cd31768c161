//! Lists of keys, newest first: of a reseller's shops, as the merchant or the reseller reads them, and of
//! a merchant.

use axum::{extract::State, response::Response};
use engine::ids::{KeyId, RelationshipId};
use persistence::api_keys;

use super::{Key, Keyring};
use crate::{
    auth::{MerchantKey, Session, member::Owner, scope::ResellersRead},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::page::CursorPage,
};

/// `GET /dev/v1/resellers/{id}/api-keys`
pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_merchants_reseller(&caller, relationship);
    list(&app, &keyring, &query).await
}

/// `GET /portal/v1/programs/{rel}/api-keys`
pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_reseller(&app, &caller, relationship).await?;
    list(&app, &keyring, &query).await
}

/// `GET /dev/v1/api-keys`
pub(crate) async fn dev_own(
    State(app): State<App>,
    Owner(member): Owner,
    query: Query,
) -> Result<Response, ApiError> {
    list(&app, &Keyring::of_merchant(&member), &query).await
}

async fn list(app: &App, keyring: &Keyring, query: &Query) -> Result<Response, ApiError> {
    let page = CursorPage::read(query, &keyring.list_name())?;
    let before = page.position(KeyId::parse)?;
    let owner = keyring.owner(app).await?;
    let found = api_keys::list(&app.database, keyring.scope(), before, page.limit).await?;
    let next = found.next(|stored| stored.key.id);
    let keys = found.items.iter();
    let keys: Vec<Key> = keys.map(|stored| owner.show(stored, app.now())).collect();
    Ok(page.answer(keys, next))
}
