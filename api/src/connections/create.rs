//! `POST /portal/v1/programs/{rel}/connections`: make a receiver for a shop's calls, in force at once.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    connections::Kind,
    ids::{ConnectionId, RelationshipId},
    vault::Opened,
};
use persistence::{
    connections::{self, Changed, NewConnection},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ConnectionView, ConnectionWithSecret, Owner,
    fields::{self, MapLine, SentPaths},
    owner::not_found,
    refusal::refusal,
};
use crate::{
    auth::SteppedUp,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Hidden, Object},
        money::Amount,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateConnection {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    kind: String,
    /// OWN: its order ids are nobody else's. SHARED: they are those of every connection of its kind that shares.
    namespace: Option<String>,
    /// The shop's own; a shop of kind CUSTOM may take one of ours instead.
    #[schema(value_type = Option<String>, min_length = 8, max_length = 256)]
    secret: Option<Hidden>,
    #[schema(value_type = Vec<MapLine>, min_items = 1, max_items = 200)]
    product_map: Vec<Object<MapLine>>,
    daily_spend_cap: Amount,
    #[schema(value_type = Option<SentPaths>)]
    paths: Option<Object<SentPaths>>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateConnection>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    once.run(app, owner, answer).await
}

async fn answer(app: App, owner: Owner, wire: CreateConnection) -> Result<Response, ApiError> {
    let (new, told) = wire.into_new(&app, &owner)?;
    // One task for all of it: a stored connection is always in force.
    let making = owned(store(app.clone(), owner.clone(), new));
    let changed = making.await?;
    let shown = owner.show_one(&app, changed.connection).await;
    let shown = shown.map_err(ApiError::after_change)?;
    Ok(shown_once(Answer::created, shown, told.as_ref()))
}

async fn store(app: App, owner: Owner, new: NewConnection) -> Result<Changed, ApiError> {
    let (db, vault) = (&app.database, app.engine.vault());
    let made = connections::create(db, vault, owner.who(), new, app.now()).await?;
    let changed = made.ok_or_else(not_found)?.map_err(refusal)?;
    owner.take_over(&app, &changed.balances).await?;
    Ok(changed)
}

/// A connection as it is told once, and as the answer is kept.
pub(super) fn shown_once(
    status: fn(ConnectionWithSecret) -> Answer<ConnectionWithSecret>,
    shown: ConnectionView,
    secret: Option<&Opened>,
) -> Response {
    let told = ConnectionWithSecret {
        connection: shown.clone(),
        secret: secret.map(|secret| secret.expose().to_owned()),
    };
    let kept = ConnectionWithSecret {
        connection: shown,
        secret: None,
    };
    status(told).kept_as(kept).into_response()
}

/// The secret that a kind gets: the shop's own, or one of ours, which is then told.
pub(super) fn secrets(
    app: &App,
    kind: Kind,
    sent: Option<Hidden>,
) -> Result<(Opened, Option<Opened>), ApiError> {
    match (fields::secret(sent)?, kind) {
        (Some(own), _) => Ok((own, None)),
        (None, Kind::Custom) => {
            let made = fields::new_secret(&**app.engine.random());
            Ok((made.clone(), Some(made)))
        }
        (None, Kind::Shoppex | Kind::SellAuth | Kind::Sellix | Kind::SellApp) => {
            let message = "is needed: the one that the shop signs its calls with";
            Err(ApiError::field("secret", message))
        }
    }
}

impl CreateConnection {
    fn into_new(
        self,
        app: &App,
        owner: &Owner,
    ) -> Result<(NewConnection, Option<Opened>), ApiError> {
        let kind = fields::kind(self.kind)?;
        let (secret, told) = secrets(app, kind, self.secret)?;
        let currency = owner.merchant.currency;
        let new = NewConnection {
            id: ConnectionId::generate(app.now(), &**app.engine.random()),
            name: fields::name(Some(self.name))?.unwrap_or_default(),
            kind,
            namespace: fields::namespace(self.namespace)?,
            secret,
            map: fields::map(self.product_map)?,
            custom: fields::custom(kind, self.paths)?,
            daily_spend_cap: self.daily_spend_cap.read(currency, "daily_spend_cap")?,
        };
        Ok((new, told))
    }
}
