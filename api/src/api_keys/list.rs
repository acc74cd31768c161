//! `GET /dev/v1/resellers/{id}/api-keys`: the keys of a reseller's shops, newest first.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{KeyId, RelationshipId};
use persistence::api_keys::{KeyScope, list};

use super::{Key, Owner};
use crate::{
    auth::{MerchantKey, scope::ResellersRead},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::page::CursorPage,
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let page = CursorPage::read(&query, &format!("api-keys {relationship}"))?;
    let before = page.position(KeyId::parse)?;
    let owner = Owner::find(&app, caller.merchant(), relationship).await?;
    let scope = KeyScope {
        merchant: caller.merchant_id(),
        relationship: Some(relationship),
    };
    let found = list(&app.database, scope, before, page.limit).await?;
    let next = found
        .items
        .last()
        .map(|stored| stored.key.id)
        .filter(|_| found.has_more);
    let keys: Vec<Key> = found
        .items
        .iter()
        .map(|stored| owner.show(stored, app.now()))
        .collect();
    Ok(page.answer(keys, next).into_response())
}
