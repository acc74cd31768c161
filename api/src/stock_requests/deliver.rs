//! `POST .../inventory/{itm}/deliver`, `/resend` and `/reveal`: a serial goes to a customer, or its reseller
//! reads it.
//!
//! Keeps: what is sent or shown was noted before; an item goes to one address, and no answer that is kept has
//! its text.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    fulfillments::Email,
    ids::{InventoryItemId, MailId, RelationshipId, SerialId},
    merchants::Merchant,
    relationships::RelationshipScope,
    stock_requests::{Item, ItemStatus},
    vault::Opened,
};
use persistence::{
    mail::{Letter, Post},
    stock_requests::{self, Delivery, Given},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    InventoryItemView,
    inventory::merchant_of,
    shown::{Reader, Text, title},
};
use crate::{
    auth::{MerchantKey, Session, scope::ResellerStockWrite},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    layers::rate_limit,
    state::App,
    wire::{answer::Answer, fields, fields::Nothing},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliverItem {
    #[schema(value_type = String, format = Email, max_length = 254)]
    email: fields::Text<Email>,
}

/// An item, and who has to do with it.
struct Asked {
    scope: RelationshipScope,
    serial: SerialId,
    merchant: Arc<Merchant>,
    reader: Reader,
    actor: Actor,
}

/// What is to be done with it.
enum Act {
    Deliver(Email),
    Resend,
    Reveal,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds((relationship, item)): PathIds<(RelationshipId, InventoryItemId)>,
    once: Once<DeliverItem>,
) -> Result<Response, ApiError> {
    let asked = Asked {
        scope: scope_of(&app, caller.merchant_id(), relationship).await?,
        serial: SerialId::from_uuid(item.uuid()),
        merchant: Arc::clone(caller.merchant()),
        reader: Reader::Merchant,
        actor: caller.actor(),
    };
    let act = Act::Deliver(once.body.email.0);
    let work = Box::pin(answer(app.clone(), asked, act));
    once.request.execute(&app, caller.name(), work).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(ids): PathIds<(RelationshipId, InventoryItemId)>,
    once: Once<DeliverItem>,
) -> Result<Response, ApiError> {
    let (asked, name) = own(&app, &caller, ids).await?;
    let act = Act::Deliver(once.body.email.0);
    let work = Box::pin(answer(app.clone(), asked, act));
    once.request.execute(&app, name, work).await
}

pub(crate) async fn portal_resend(
    State(app): State<App>,
    caller: Session,
    PathIds(ids): PathIds<(RelationshipId, InventoryItemId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let (asked, name) = own(&app, &caller, ids).await?;
    let work = Box::pin(answer(app.clone(), asked, Act::Resend));
    once.request.execute(&app, name, work).await
}

pub(crate) async fn portal_reveal(
    State(app): State<App>,
    caller: Session,
    PathIds(ids): PathIds<(RelationshipId, InventoryItemId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let (asked, name) = own(&app, &caller, ids).await?;
    let (_, person) = name;
    let reading = app.clone();
    let work = Box::pin(async move {
        if !reading.readings.take(&person.to_string(), reading.now()) {
            return Err(rate_limit::too_many_readings(reading.now()));
        }
        answer(reading, asked, Act::Reveal).await
    });
    once.request.execute(&app, name, work).await
}

async fn own(
    app: &App,
    caller: &Session,
    (relationship, item): (RelationshipId, InventoryItemId),
) -> Result<(Asked, (engine::ids::MerchantId, uuid::Uuid)), ApiError> {
    let (scope, _) = own_scope(app, caller, relationship).await?;
    let asked = Asked {
        scope,
        serial: SerialId::from_uuid(item.uuid()),
        merchant: merchant_of(app, scope).await?,
        reader: Reader::Reseller,
        actor: caller.actor(),
    };
    Ok((asked, (scope.merchant, caller.person_id().uuid())))
}

async fn answer(app: App, asked: Asked, act: Act) -> Result<Response, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let (db, of) = (&app.database, (asked.scope, asked.serial));
    let item = stock_requests::find_item(db, asked.scope, asked.serial).await?;
    let item = item.ok_or_else(missing)?;
    let text = asked.merchant.key.open_serial(item.serial, &item.sealed);
    let text = text.map_err(|_| ApiError::new(Code::InternalError))?;
    let (vault, by) = (app.engine.vault(), (asked.actor.clone(), app.now()));
    let given = match act {
        Act::Deliver(email) => {
            let delivery = Delivery {
                email: asked
                    .merchant
                    .key
                    .seal_email(asked.scope.balance, email.as_str()),
                digest: vault.email_fingerprint(asked.scope.merchant, email.as_str()),
                post: post(&app, &item, email.as_str(), &text).await?,
            };
            stock_requests::deliver(db, vault, of, delivery, by).await?
        }
        Act::Resend => {
            let email = addressed(&asked, &item)?;
            if !app.invitations.take(email.expose(), app.now()) {
                return Err(rate_limit::too_many_sign_ins(app.now()));
            }
            let post = post(&app, &item, email.expose(), &text).await?;
            stock_requests::resend(db, vault, of, post, by).await?
        }
        Act::Reveal => stock_requests::reveal(db, of, by).await?,
    };
    match given.ok_or_else(missing)? {
        Given::Otherwise(status) => return Err(wrong(status)),
        Given::Fresh | Given::Again => app.mail_queued.notify_one(),
    }
    let told = told(&app, &asked, given == Some(Given::Again));
    told.await.map_err(ApiError::after_change)
}

async fn told(app: &App, asked: &Asked, again: bool) -> Result<Response, ApiError> {
    let item = stock_requests::find_item(&app.database, asked.scope, asked.serial).await?;
    let item = item.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (engine, merchant) = (&app.engine, &asked.merchant);
    let shown = |text| InventoryItemView::of(engine, merchant, &item, (asked.reader, text));
    let view = shown(Text::Clear).await;
    let answer = Answer::stepped(again, view);
    Ok(answer.kept_as(shown(Text::Masked).await).into_response())
}

/// The address that an item went to.
fn addressed(asked: &Asked, item: &Item) -> Result<Opened, ApiError> {
    let sealed = item
        .email
        .as_ref()
        .filter(|_| item.status == ItemStatus::Delivered);
    let sealed = sealed.ok_or_else(|| wrong(item.status))?;
    let opened = asked.merchant.key.open_email(asked.scope.balance, sealed);
    opened.map_err(|_| ApiError::new(Code::InternalError))
}

fn wrong(status: ItemStatus) -> ApiError {
    ApiError::new(Code::InvalidState).detail("status", status.name())
}

/// The mail that takes a serial to a customer.
async fn post(app: &App, item: &Item, to: &str, text: &Opened) -> Result<Post, ApiError> {
    let title = title(&app.engine, item.sku).await;
    let title = title.unwrap_or_else(|| "product".to_owned());
    let serial = text.expose();
    Ok(Post {
        id: MailId::generate(app.now(), &**app.engine.random()),
        letter: Letter {
            to: to.to_owned(),
            subject: format!("Your {title}"),
            text: format!("This is what you bought: {title}\n\n{serial}\n\nKeep it to yourself.\n"),
        },
    })
}
