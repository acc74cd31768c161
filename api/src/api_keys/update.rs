//! `PATCH /portal/v1/programs/{rel}/api-keys/{key}`: change what a key may do. Once answered, nothing is
//! executed under its old bounds.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::Edit,
    ids::{KeyId, ProductId, RelationshipId},
    money::Currency,
};
use persistence::{
    api_keys::{self, Changed, KeyEdit},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Keyring, fields, refusal::refusal};
use crate::{
    auth::SteppedUp,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Sent, Text, Whole},
        money::Amount,
        texts::edit,
    },
};

/// What is not sent stays; null takes a bound away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateKey {
    name: Option<String>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    product_ids: Sent<Vec<Text<ProductId>>>,
    #[serde(default)]
    #[schema(value_type = Option<Whole>)]
    max_quantity: Sent<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 32)]
    ip_allow_list: Sent<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    daily_spend_cap: Sent<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Whole>)]
    rate_limit_per_second: Sent<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    expires_at: Sent<String>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds((relationship, id)): PathIds<(RelationshipId, KeyId)>,
    once: Once<UpdateKey>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_reseller(&app, &caller, relationship).await?;
    let work = move |app, keyring, wire| answer(app, keyring, id, wire);
    once.run(app, keyring, work).await
}

async fn answer(
    app: App,
    keyring: Keyring,
    id: KeyId,
    wire: UpdateKey,
) -> Result<Response, ApiError> {
    let edit = wire.into_edit(keyring.merchant.currency)?;
    let owner = keyring.owner(&app).await?;
    // One task for all of it: what is stored is always taken over.
    let changing = owned(store(app.clone(), keyring, id, edit));
    let changed = changing.await?;
    Ok(Answer::ok(owner.show(&changed.stored, app.now())).into_response())
}

async fn store(app: App, keyring: Keyring, id: KeyId, edit: KeyEdit) -> Result<Changed, ApiError> {
    let changed = api_keys::change(&app.database, keyring.who(), id, edit, app.now()).await?;
    let changed = changed.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let changed = changed.map_err(refusal)?;
    keyring.take_over(&app, id, &changed.balances).await?;
    Ok(changed)
}

impl UpdateKey {
    fn into_edit(self, currency: Currency) -> Result<KeyEdit, ApiError> {
        let scopes = self.scopes.as_deref().map(fields::scopes);
        let products = list(self.product_ids).map(fields::products);
        let nets = list(self.ip_allow_list);
        let nets = nets.as_deref().map(fields::nets);
        let cap = edit(&self.daily_spend_cap, |cap| {
            cap.read(currency, "daily_spend_cap")
        });
        Ok(KeyEdit {
            name: fields::name(self.name)?,
            scopes: scopes.transpose()?,
            products: products.transpose()?,
            max_quantity: whole(self.max_quantity, fields::max_quantity)?,
            ip_allow_list: nets.transpose()?,
            daily_spend_cap: cap?,
            rate_limit_per_second: whole(self.rate_limit_per_second, fields::rate)?,
            expires_at: edit(&self.expires_at, |text| fields::expires_at(text))?,
        })
    }
}

/// A list that null empties.
fn list<T>(sent: Sent<Vec<T>>) -> Option<Vec<T>> {
    match sent {
        Sent::Not => None,
        Sent::Null => Some(Vec::new()),
        Sent::Value(list) => Some(list),
    }
}

fn whole(
    sent: Sent<Whole>,
    read: impl FnOnce(Whole) -> Result<u32, ApiError>,
) -> Result<Edit<u32>, ApiError> {
    edit(&sent, |number| read(*number))
}
