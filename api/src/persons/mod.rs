//! People as they see themselves: who they are, their password, their one-time codes.

pub(crate) mod email;
pub(crate) mod export;
pub(crate) mod in_time;
pub(crate) mod invitation;
pub(crate) mod me;
pub(crate) mod password;
pub(crate) mod programs;
pub(crate) mod reset;
pub(crate) mod totp;

use engine::persons::{PasswordRefusal, check_password};
use persistence::persons;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::ApiError, wire::time::Time};

/// A person as it sees itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct Person {
    id: String,
    uniqid: String,
    email: String,
    name: String,
    locale: String,
    totp_enabled: bool,
    created_at: Time,
    updated_at: Time,
}

impl Person {
    pub(crate) fn of(person: &persons::Person) -> Self {
        let id = person.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            email: person.email.as_str().to_owned(),
            name: person.name.clone(),
            locale: person.locale.clone(),
            totp_enabled: person.totp,
            created_at: Time(person.created_at),
            updated_at: Time(person.updated_at),
        }
    }
}

/// Refuses a new password that is too short, too long or too well known.
pub(crate) fn check_new_password(
    field: &'static str,
    password: &str,
    email: &str,
) -> Result<(), ApiError> {
    check_password(password, email).map_err(|refusal| {
        ApiError::field(
            field,
            match refusal {
                PasswordRefusal::Length => "must have 12 to 128 characters",
                PasswordRefusal::Known => "is among the first that are tried: choose another one",
            },
        )
    })
}

/// A name of a person: 1 to 80 characters that can be seen.
pub(crate) fn check_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let fits = (1..=80).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(ApiError::field("name", "must have 1 to 80 characters"))
    }
}
