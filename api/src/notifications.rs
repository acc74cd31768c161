//! `GET` and `PUT /portal/v1/programs/{rel}/notifications`: which mails a reseller gets. What is left out is on.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    fulfillments::Email,
    ids::RelationshipId,
    notifications::{Group, Refusal, Settings},
};
use persistence::notifications;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetGroup {
    email: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Notifications {
    top_up: GroupView,
    balance: GroupView,
    status: GroupView,
    payout: GroupView,
    key: GroupView,
    recipients: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NotificationGroup)]
struct GroupView {
    email: bool,
    /// It cannot be switched off.
    required: bool,
}

impl Notifications {
    fn of(settings: &Settings) -> Self {
        let group = |group: Group| GroupView {
            email: settings.wants(group),
            required: group.required(),
        };
        let recipients = settings.recipients().iter();
        Self {
            top_up: group(Group::TopUp),
            balance: group(Group::Balance),
            status: group(Group::Status),
            payout: group(Group::Payout),
            key: group(Group::Key),
            recipients: recipients.map(|one| one.as_str().to_owned()).collect(),
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
    let settings = wire.read()?;
    let told = Notifications::of(&settings);
    let of = (asker.scope.merchant, asker.scope.relationship);
    notifications::save(&app.database, of, settings, (asker.actor, app.now())).await?;
    Ok(Answer::ok(told).into_response())
}

impl SetNotifications {
    fn read(self) -> Result<Settings, ApiError> {
        let groups = [
            (Group::TopUp, self.top_up),
            (Group::Balance, self.balance),
            (Group::Status, self.status),
            (Group::Payout, self.payout),
            (Group::Key, self.key),
        ];
        let off = groups.into_iter().filter_map(|(group, set)| {
            let Object(set) = set?;
            (!set.email).then_some(group)
        });
        let off: BTreeSet<_> = off.collect();
        let recipients = self.recipients.unwrap_or_default().into_iter();
        let set = Settings::new(off, recipients.map(|Text(email)| email).collect());
        set.map_err(|refusal| {
            let field = match refusal {
                Refusal::Required(Group::TopUp) => "top_up",
                Refusal::Required(Group::Balance) => "balance",
                Refusal::Required(Group::Status) => "status",
                Refusal::Required(Group::Payout) => "payout",
                Refusal::Required(Group::Key) => "key",
                Refusal::Recipients => "recipients",
            };
            ApiError::field(field, refusal.to_string())
        })
    }
}
