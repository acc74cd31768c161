//! `GET` and `PATCH /portal/v1/me`: who is signed in, and for whom.

use axum::extract::State;
use engine::fulfillments::Email;
use persistence::persons::{self, Edit, memberships, relationships_count};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Person, check_name, email};
use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::Body,
    state::App,
    wire::{answer::Answer, fields::Text},
};

/// Languages that may be chosen: what is sent in mails and shown by the portal.
const LOCALES: [&str; 1] = ["en"];

#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    person: Person,
    relationships_count: u64,
    merchants: Vec<Member>,
}

#[derive(Serialize, ToSchema)]
struct Member {
    id: String,
    name: String,
    role: &'static str,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateMe {
    name: Option<String>,
    locale: Option<String>,
    #[schema(value_type = Option<String>)]
    email: Option<Text<Email>>,
}

pub(crate) async fn get(State(app): State<App>, caller: Session) -> Result<Answer<Me>, ApiError> {
    show(&app, caller.person()).await
}

pub(crate) async fn update(
    State(app): State<App>,
    caller: Session,
    Body(wire): Body<UpdateMe>,
) -> Result<Answer<Me>, ApiError> {
    let name = wire.name.as_deref().map(check_name).transpose()?;
    if wire
        .locale
        .as_deref()
        .is_some_and(|one| !LOCALES.contains(&one))
    {
        return Err(ApiError::field("locale", "must be `en`"));
    }
    if let Some(Text(email)) = wire.email {
        email::offer(&app, &caller, email).await?;
    }
    let (id, edit) = (
        caller.person_id(),
        Edit {
            name,
            locale: wire.locale,
        },
    );
    persons::edit(&app.database, id, edit, app.now()).await?;
    let found = persons::find(&app.database, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::InternalError))?;
    show(&app, &found.person).await
}

async fn show(app: &App, person: &persons::Person) -> Result<Answer<Me>, ApiError> {
    let merchants = memberships(&app.database, person.id).await?;
    let merchants = merchants.into_iter().map(|member| Member {
        id: member.merchant.to_string(),
        name: member.name,
        role: member.role.name(),
    });
    Ok(Answer::ok(Me {
        person: Person::of(person),
        relationships_count: relationships_count(&app.database, person.id).await?,
        merchants: merchants.collect(),
    }))
}
