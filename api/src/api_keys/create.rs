//! `POST /portal/v1/programs/{rel}/api-keys` and `POST /dev/v1/api-keys`: make a key. Its secret is shown
//! once.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    api_keys::{KeyText, Scope, base62_secret},
    ids::{KeyId, ProductId, RelationshipId},
    money::Currency,
    random::Random,
    relationships::KeyTerms,
    vault::Opened,
};
use persistence::{
    api_keys::{self, Changed, NewKey},
    owned,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Key, Keyring, fields, refusal::refusal, test_balance};
use crate::{
    auth::{SteppedUp, member::OwnerSteppedUp},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Text, Whole},
        money::Amount,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKey {
    name: String,
    scopes: Vec<String>,
    test: Option<bool>,
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    product_ids: Option<Vec<Text<ProductId>>>,
    max_quantity: Option<Whole>,
    ip_allow_list: Option<Vec<String>>,
    daily_spend_cap: Option<Amount>,
    rate_limit_per_second: Option<Whole>,
    expires_at: Option<String>,
}

/// A merchant's key buys nothing, so it has no bounds of what it buys.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateMerchantKey {
    name: String,
    scopes: Vec<String>,
    ip_allow_list: Option<Vec<String>>,
    rate_limit_per_second: Option<Whole>,
    expires_at: Option<String>,
}

/// A key with its secrets, which nothing shows again.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedKey {
    #[serde(flatten)]
    api_key: Key,
    key: Option<String>,
    url_secret: Option<String>,
}

/// The secrets of a key that is being made.
#[derive(Clone)]
pub(super) struct Secrets {
    pub(super) text: KeyText,
    pub(super) url: Opened,
}

impl Secrets {
    pub(super) fn new(app: &App, keyring: &Keyring, test: bool) -> Self {
        let random: &dyn Random = &**app.engine.random();
        let id = KeyId::generate(app.now(), random);
        Self {
            text: KeyText::generate(keyring.kind(), test, id, random),
            url: Opened::new(base62_secret(random)),
        }
    }

    /// The key as it is told once, and as the answer is kept.
    pub(super) fn answer(
        &self,
        status: fn(CreatedKey) -> Answer<CreatedKey>,
        show: impl Fn() -> Key,
        signs: bool,
    ) -> Response {
        let told = CreatedKey {
            api_key: show(),
            key: Some(self.text.expose().expose().to_owned()),
            url_secret: signs.then(|| self.url.expose().to_owned()),
        };
        let kept = CreatedKey {
            api_key: show(),
            key: None,
            url_secret: None,
        };
        status(told).kept_as(kept).into_response()
    }
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateKey>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_reseller(&app, &caller, relationship).await?;
    once.run(app, keyring, answer).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    OwnerSteppedUp(member): OwnerSteppedUp,
    once: Once<CreateMerchantKey>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_merchant(&member);
    let work = |app, keyring, wire: CreateMerchantKey| answer(app, keyring, wire.into());
    once.run(app, keyring, work).await
}

async fn answer(app: App, keyring: Keyring, wire: CreateKey) -> Result<Response, ApiError> {
    let secrets = Secrets::new(&app, &keyring, wire.test.unwrap_or_default());
    let key = wire.into_new(keyring.merchant.currency, &secrets)?;
    let owner = keyring.owner(&app).await?;
    // One task for all of it: a stored key is always in force.
    let making = owned(store(app.clone(), keyring, key));
    let changed = making.await?;
    let show = || owner.show(&changed.stored, app.now());
    let signs = changed.stored.key.url_secret.is_some();
    Ok(secrets.answer(Answer::created, show, signs))
}

async fn store(app: App, keyring: Keyring, key: NewKey) -> Result<Changed, ApiError> {
    let (id, vault) = (key.text.id, app.engine.vault());
    let made = api_keys::create(&app.database, vault, keyring.who(), key, app.now()).await?;
    let made = made.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let changed = made.map_err(refusal)?;
    keyring.take_over(&app, id, &changed.balances).await?;
    if let Some(relationship) = keyring
        .scope()
        .relationship
        .filter(|_| changed.stored.key.test)
    {
        let merchant = (keyring.merchant.id, keyring.merchant.currency);
        let filled = test_balance::fill(&app, merchant, relationship).await;
        filled.map_err(ApiError::after_change)?;
    }
    Ok(changed)
}

impl CreateKey {
    fn into_new(self, currency: Currency, secrets: &Secrets) -> Result<NewKey, ApiError> {
        let name = fields::name(Some(self.name))?.unwrap_or_default();
        let scopes = fields::scopes(&self.scopes)?;
        let cap = self.daily_spend_cap;
        let cap = cap.map(|cap| cap.read(currency, "daily_spend_cap"));
        let expires_at = self.expires_at.as_deref().map(fields::expires_at);
        Ok(NewKey {
            text: secrets.text.clone(),
            terms: KeyTerms {
                products: fields::products(self.product_ids.unwrap_or_default())?,
                max_quantity: self.max_quantity.map(fields::max_quantity).transpose()?,
                daily_spend_cap: cap.transpose()?,
            },
            ip_allow_list: fields::nets(&self.ip_allow_list.unwrap_or_default())?,
            rate_limit_per_second: self.rate_limit_per_second.map(fields::rate).transpose()?,
            expires_at: expires_at.transpose()?,
            url_secret: scopes.has(Scope::DynamicWrite).then(|| secrets.url.clone()),
            name,
            scopes,
        })
    }
}

impl From<CreateMerchantKey> for CreateKey {
    fn from(wire: CreateMerchantKey) -> Self {
        Self {
            name: wire.name,
            scopes: wire.scopes,
            test: None,
            product_ids: None,
            max_quantity: None,
            ip_allow_list: wire.ip_allow_list,
            daily_spend_cap: None,
            rate_limit_per_second: wire.rate_limit_per_second,
            expires_at: wire.expires_at,
        }
    }
}
