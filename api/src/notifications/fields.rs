//! Groups of mails on the wire, for whomever they are.

use std::collections::BTreeSet;

use engine::{
    fulfillments::Email,
    notifications::{Group, Refusal, Settings},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    wire::fields::{Object, Text},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetGroup {
    email: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NotificationGroup)]
pub(super) struct GroupView {
    email: bool,
    /// It cannot be switched off.
    required: bool,
}

impl GroupView {
    pub(super) fn of(settings: &Settings, group: Group) -> Self {
        Self {
            email: settings.wants(group),
            required: group.required(),
        }
    }
}

/// Who gets copies, as it is shown.
pub(super) fn recipients(settings: &Settings) -> Vec<String> {
    let recipients = settings.recipients().iter();
    recipients.map(|one| one.as_str().to_owned()).collect()
}

/// What is to be set: what is not named is on.
pub(super) fn settings<const GROUPS: usize>(
    groups: [(Group, Option<Object<SetGroup>>); GROUPS],
    recipients: Option<Vec<Text<Email>>>,
) -> Result<Settings, ApiError> {
    let off = groups.into_iter().filter_map(|(group, set)| {
        let Object(set) = set?;
        (!set.email).then_some(group)
    });
    let off: BTreeSet<_> = off.collect();
    let recipients = recipients.unwrap_or_default().into_iter();
    let set = Settings::new(off, recipients.map(|Text(email)| email).collect());
    set.map_err(|refusal| {
        let field = match refusal {
            Refusal::Required(group) => name(group),
            Refusal::Recipients => "recipients",
        };
        ApiError::field(field, refusal.to_string())
    })
}

const fn name(group: Group) -> &'static str {
    match group {
        Group::TopUp => "top_up",
        Group::Balance => "balance",
        Group::Status => "status",
        Group::Request => "request",
        Group::Replacement => "replacement",
        Group::Stock => "stock",
        Group::Payout => "payout",
        Group::Key => "key",
    }
}
