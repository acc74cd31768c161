//! `GET` and `PUT /dev/v1/notifications`: which mails a merchant's owners get. What is left out is on.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    fulfillments::Email,
    notifications::{Group, Settings},
};
use persistence::notifications;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{self, GroupView, SetGroup};
use crate::{
    auth::member::{Member, Owner},
    error::ApiError,
    extract::Once,
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Text},
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetMerchantNotifications {
    /// Wholesale purchases that resellers want or have paid.
    #[schema(value_type = Option<SetGroup>)]
    request: Option<Object<SetGroup>>,
    /// Replacements that wait for your decision.
    #[schema(value_type = Option<SetGroup>)]
    replacement: Option<Object<SetGroup>>,
    /// Shelves that are low or empty, and customers who wait for them.
    #[schema(value_type = Option<SetGroup>)]
    stock: Option<Object<SetGroup>>,
    #[schema(value_type = Option<SetGroup>)]
    payout: Option<Object<SetGroup>>,
    #[schema(value_type = Option<SetGroup>)]
    key: Option<Object<SetGroup>>,
    /// Who gets a copy of the mails that could be switched off.
    #[schema(value_type = Option<Vec<String>>, max_items = 5)]
    recipients: Option<Vec<Text<Email>>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MerchantNotifications {
    request: GroupView,
    replacement: GroupView,
    stock: GroupView,
    payout: GroupView,
    key: GroupView,
    recipients: Vec<String>,
}

impl MerchantNotifications {
    fn of(settings: &Settings) -> Self {
        let group = |group| GroupView::of(settings, group);
        Self {
            request: group(Group::Request),
            replacement: group(Group::Replacement),
            stock: group(Group::Stock),
            payout: group(Group::Payout),
            key: group(Group::Key),
            recipients: fields::recipients(settings),
        }
    }
}

pub(crate) async fn get(
    State(app): State<App>,
    Owner(member): Owner,
) -> Result<Answer<MerchantNotifications>, ApiError> {
    let found = notifications::find_of_merchant(&app.database, member.merchant.id).await?;
    Ok(Answer::ok(MerchantNotifications::of(&found)))
}

pub(crate) async fn put(
    State(app): State<App>,
    Owner(member): Owner,
    once: Once<SetMerchantNotifications>,
) -> Result<Response, ApiError> {
    once.run(app, member, answer).await
}

async fn answer(
    app: App,
    member: Member,
    wire: SetMerchantNotifications,
) -> Result<Response, ApiError> {
    let groups = [
        (Group::Request, wire.request),
        (Group::Replacement, wire.replacement),
        (Group::Stock, wire.stock),
        (Group::Payout, wire.payout),
        (Group::Key, wire.key),
    ];
    let settings = fields::settings(groups, wire.recipients)?;
    let told = MerchantNotifications::of(&settings);
    let (merchant, by) = (member.merchant.id, (member.actor(), app.now()));
    notifications::save_of_merchant(&app.database, merchant, settings, by).await?;
    Ok(Answer::ok(told).into_response())
}
