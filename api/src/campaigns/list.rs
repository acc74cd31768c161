//! `GET …/embed-campaigns`, of both sides: campaigns, newest first.

use axum::{extract::State, response::Response};
use engine::{
    ids::{CampaignId, MerchantId, RelationshipId},
    money::Currency,
};
use persistence::campaigns;

use super::EmbedCampaign;
use crate::{
    auth::{MerchantKey, Session, scope::ResellersRead},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::page::CursorPage,
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    listed(&app, (scope.merchant, relationship), currency, &query).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
    let of = (scope.merchant, relationship);
    listed(&app, of, caller.currency(), &query).await
}

async fn listed(
    app: &App,
    of: (MerchantId, RelationshipId),
    currency: Currency,
    query: &Query,
) -> Result<Response, ApiError> {
    let page = CursorPage::read(query, &format!("campaigns {}", of.1))?;
    let before = page.position(CampaignId::parse)?;
    let found = campaigns::list(&app.database, of, before, page.limit).await?;
    let next = found.next(|viewed| viewed.campaign.id);
    let items = found.items.iter();
    let shown: Vec<_> = items
        .map(|viewed| EmbedCampaign::of(viewed, currency))
        .collect();
    Ok(page.answer(shown, next))
}

/// One campaign as it is shown.
pub(super) async fn found(
    app: &App,
    of: (MerchantId, RelationshipId),
    id: CampaignId,
    currency: Currency,
) -> Result<EmbedCampaign, ApiError> {
    let found = campaigns::one(&app.database, of, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(EmbedCampaign::of(&found, currency))
}
