//! `GET` and `PUT /portal/v1/programs/{rel}/notifications`: which mails a reseller gets. What is left out is on.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    fulfillments::Email,
    ids::RelationshipId,
    notifications::{Group, Settings},
};
use persistence::notifications;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{self, GroupView, SetGroup};
use crate::{
    auth::Session,
    balances::owner::{Asker, own_scope},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Text},
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetNotifications {
    #[schema(value_type = Option<SetGroup>)]
    top_up: Option<Object<SetGroup>>,
    #[schema(value_type = Option<SetGroup>)]
    balance: Option<Object<SetGroup>>,
    /// Your purchases, and what you sell that is out of stock or back.
    #[schema(value_type = Option<SetGroup>)]
    stock: Option<Object<SetGroup>>,
    #[schema(value_type = Option<SetGroup>)]
    status: Option<Object<SetGroup>>,
    #[schema(value_type = Option<SetGroup>)]
    payout: Option<Object<SetGroup>>,
    #[schema(value_type = Option<SetGroup>)]
    key: Option<Object<SetGroup>>,
    /// Who gets a copy of the mails that could be switched off.
    #[schema(value_type = Option<Vec<String>>, max_items = 5)]
    recipients: Option<Vec<Text<Email>>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Notifications {
    top_up: GroupView,
    balance: GroupView,
    stock: GroupView,
    status: GroupView,
    payout: GroupView,
    key: GroupView,
    recipients: Vec<String>,
}

impl Notifications {
    fn of(settings: &Settings) -> Self {
        let group = |group| GroupView::of(settings, group);
        Self {
            top_up: group(Group::TopUp),
            balance: group(Group::Balance),
            stock: group(Group::Stock),
            status: group(Group::Status),
            payout: group(Group::Payout),
            key: group(Group::Key),
            recipients: fields::recipients(settings),
        }
    }
}

pub(crate) async fn get(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
) -> Result<Answer<Notifications>, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let found = notifications::find(&app.database, scope).await?;
    Ok(Answer::ok(Notifications::of(&found)))
}

pub(crate) async fn put(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<SetNotifications>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, id).await?;
    once.run(app, asker, answer).await
}

async fn answer(app: App, asker: Asker, wire: SetNotifications) -> Result<Response, ApiError> {
    let groups = [
        (Group::TopUp, wire.top_up),
        (Group::Balance, wire.balance),
        (Group::Stock, wire.stock),
        (Group::Status, wire.status),
        (Group::Payout, wire.payout),
        (Group::Key, wire.key),
    ];
    let settings = fields::settings(groups, wire.recipients)?;
    let told = Notifications::of(&settings);
    let of = (asker.scope.merchant, asker.scope.relationship);
    notifications::save(&app.database, of, settings, (asker.actor, app.now())).await?;
    Ok(Answer::ok(told).into_response())
}
