//! `/dev/v1/members`: who acts for the merchant. For owners who are signed in.

pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod letter;
pub(crate) mod list;

use engine::persons::Role;
use persistence::members::Member as Stored;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    wire::{texts::word, time::Time},
};

/// Somebody who acts for the merchant.
#[derive(Serialize, ToSchema)]
#[schema(as = TeamMember)]
pub(crate) struct Member {
    id: String,
    uniqid: String,
    email: String,
    name: String,
    role: &'static str,
    created_at: Time,
}

impl From<Stored> for Member {
    fn from(stored: Stored) -> Self {
        let id = stored.person.to_string();
        Self {
            uniqid: id.clone(),
            id,
            email: stored.email,
            name: stored.name,
            role: stored.role.name(),
            created_at: Time(stored.created_at),
        }
    }
}

fn role(sent: String) -> Result<Role, ApiError> {
    let missing = || ApiError::field("role", "must be OWNER, MANAGER or VIEWER");
    word(Some(sent), "role", Role::parse)?.ok_or_else(missing)
}
