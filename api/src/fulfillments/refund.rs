//! `POST /dev/v1/resellers/{id}/fulfillments/{ful}/refund`: give money back for what was delivered.
//!
//! Keeps the order: taken from what may still be given back, forgotten by replays, credited, answered.
//! The serials stay claimed. A refund that a crash cut off is completed by [`give_back`] later.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use engine::{
    audit::Actor,
    balances::{Credit, EntryKind},
    clock::Timestamp,
    fulfillments::Fulfillment,
    ids::{FulfillmentId, ItemId, RelationshipId, SerialId},
    money::{Currency, Money},
    refunds::Taken,
    relationships::RelationshipScope,
};
use persistence::{
    fulfillments::get,
    owned,
    refunds::{self, Waiting, Wanted},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Serials, Told};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    balances::owner::scope_of,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::Text,
        money::{Amount, MoneyText},
        texts,
    },
};

/// A refund that waits longer than this for its entry was cut off.
const CUT_OFF_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: u32 = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundFulfillment {
    /// Else the price of the items, or the rest.
    amount: Option<Amount>,
    /// Items whose price is given back, each once. One that was replaced is named by what came in its place.
    #[schema(value_type = Option<Vec<String>>)]
    item_ids: Option<Vec<Text<ItemId>>>,
    refund_ref: String,
    reason: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(ids): PathIds<(RelationshipId, FulfillmentId)>,
    once: Once<RefundFulfillment>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| answer(app, caller, ids, wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<BalanceWrite>,
    (relationship, id): (RelationshipId, FulfillmentId),
    wire: RefundFulfillment,
) -> Result<Response, ApiError> {
    let currency = caller.currency();
    let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
    let found = get::find(&app.database, scope, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let wanted = wire.into_wanted(currency, &found)?;
    // One task for all of it: what is taken is credited, now or by [`complete_waiting`].
    let refunding = owned(refund(app.clone(), scope, found, wanted, caller.actor()));
    let taken = match refunding.await? {
        Taken::Mismatch => {
            let said = "This reference belongs to another refund. Nothing was changed.";
            return Err(ApiError::saying(Code::AlreadyExists, said)
                .detail("refund_ref", "belongs to another refund"));
        }
        Taken::ItemAgain => return Err(refunded_before()),
        Taken::Excess { rest } => {
            let rest = MoneyText(currency, rest).to_string();
            return Err(ApiError::new(Code::AmountOutOfRange).detail("rest", rest));
        }
        taken @ (Taken::Fresh(_) | Taken::Again(_)) => taken,
    };
    let merchant = Arc::clone(caller.merchant());
    let told = async {
        let found = get::find(&app.database, scope, id).await?;
        let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
        Told::of(&app.engine, &merchant, Arc::new(found), Serials::Withheld).await
    };
    let told = told.await.map_err(ApiError::after_change)?;
    Ok(match taken {
        Taken::Again(_) => Answer::replayed(told).into_response(),
        Taken::Fresh(_) | Taken::Mismatch | Taken::ItemAgain | Taken::Excess { .. } => {
            Answer::ok(told).into_response()
        }
    })
}

/// Takes a refund and credits it.
pub(crate) async fn refund(
    app: App,
    scope: RelationshipScope,
    fulfillment: Fulfillment,
    wanted: Wanted,
    actor: Actor,
) -> Result<Taken, ApiError> {
    let (reference, description) = (wanted.reference.clone(), wanted.description.clone());
    let order_id = fulfillment.contents.order_id.clone();
    room_for(&app, scope, &fulfillment, wanted.amount).await?;
    let by = (actor, app.now());
    let taken = match refunds::take(&app.database, scope, &fulfillment, wanted, by).await {
        Ok(taken) => taken,
        Err(error) => {
            // A commit whose answer was lost may have taken it too.
            app.engine.fulfillment_changed(scope, &order_id).await.ok();
            return Err(error.into());
        }
    };
    if let Taken::Fresh(amount) | Taken::Again(amount) = taken {
        let waiting = Waiting {
            scope,
            order_id,
            reference,
            amount,
            description,
        };
        give_back(&app, waiting)
            .await
            .map_err(ApiError::after_change)?;
    }
    Ok(taken)
}

/// Money that no balance could hold would wait for its credit for ever.
async fn room_for(
    app: &App,
    scope: RelationshipScope,
    fulfillment: &Fulfillment,
    amount: Option<Money>,
) -> Result<(), ApiError> {
    let rest = fulfillment.contents.total.checked_sub(fulfillment.refunded);
    let amount = amount.or(rest).unwrap_or_default();
    let posted = app.engine.balance(scope).await?.posted;
    let message = "would lift the balance above the largest amount";
    let fits = posted.checked_add(amount).is_some();
    fits.then_some(())
        .ok_or_else(|| ApiError::field("amount", message))
}

/// Lets replays tell a refund that was taken, and credits it, once, however often it is called.
async fn give_back(app: &App, waiting: Waiting) -> Result<(), ApiError> {
    let Waiting { scope, amount, .. } = waiting;
    app.engine
        .fulfillment_changed(scope, &waiting.order_id)
        .await?;
    let credit = Credit {
        balance: scope.balance,
        kind: EntryKind::Refund,
        reference: waiting.reference.clone(),
        amount,
        description: waiting.description,
        label: "REFUND".to_owned(),
        by: None,
    };
    app.engine.credit(scope, credit).await?;
    let now = app.now();
    Ok(refunds::credited(&app.database, scope.balance, &waiting.reference, now).await?)
}

/// Completes refunds that were cut off before `now`, and says how many there were.
pub async fn complete_waiting(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let before = now - CUT_OFF_AFTER;
    let (mut count, mut last) = (0, None);
    loop {
        let page = refunds::waiting(&app.database, before, last.as_ref(), WAITING_AT_ONCE).await?;
        let Some(end) = page.last() else {
            return Ok(count);
        };
        last = Some(end.clone());
        count += page.len();
        for refund in page {
            let relationship = refund.scope.relationship;
            if let Err(error) = give_back(app, refund).await {
                let code = error.code().name();
                tracing::warn!(relationship.id = %relationship, code, "a refund waits on: {code}");
            }
        }
    }
}

impl RefundFulfillment {
    fn into_wanted(self, currency: Currency, of: &Fulfillment) -> Result<Wanted, ApiError> {
        if self.amount.is_some() && self.item_ids.is_some() {
            let message = "cannot be sent with `item_ids`, whose price is what is given back";
            return Err(ApiError::field("amount", message));
        }
        let named = self.item_ids.map(|items| units(of, items)).transpose()?;
        let amount = self.amount.map(|amount| amount.read(currency, "amount"));
        let amount = amount.transpose()?;
        if amount.is_some_and(|amount| amount <= Money::ZERO) {
            return Err(ApiError::field("amount", "must be above zero"));
        }
        let reason = self
            .reason
            .map(|reason| texts::one_line(reason, "reason", texts::REASON_CHARS_MAX));
        let (price, items) =
            named.map_or((None, Vec::new()), |(price, items)| (Some(price), items));
        Ok(Wanted {
            amount: amount.or(price),
            items,
            reference: texts::refund_ref(self.refund_ref)?,
            description: reason.transpose()?.unwrap_or_else(|| "Refund".to_owned()),
        })
    }
}

/// What items cost, and the serials that they were delivered as, in the order of their ids.
fn units(of: &Fulfillment, items: Vec<Text<ItemId>>) -> Result<(Money, Vec<SerialId>), ApiError> {
    let field = "item_ids";
    if items.is_empty() {
        return Err(ApiError::field(field, "must name an item"));
    }
    let (mut price, mut units) = (Money::ZERO, Vec::with_capacity(items.len()));
    for Text(item) in items {
        let item = SerialId::from_uuid(item.uuid());
        let unit = of.unit(item);
        let (unit, of_unit) =
            unit.ok_or_else(|| ApiError::field(field, "names an item of another fulfillment"))?;
        let replaced = of.replaced.iter().find(|one| one.serial == item);
        if replaced.is_some_and(|one| one.by.is_some()) {
            let message = "names an item that was replaced: name the one in its place";
            return Err(ApiError::field(field, message));
        }
        if units.contains(&unit) {
            return Err(ApiError::field(field, "names an item twice"));
        }
        let sum = price.checked_add(of_unit);
        price = sum.ok_or_else(|| ApiError::field(field, "cost more than there can be"))?;
        units.push(unit);
    }
    units.sort_unstable();
    Ok((price, units))
}

fn refunded_before() -> ApiError {
    let said = "The price of one of these items was given back before. Nothing was changed.";
    ApiError::saying(Code::AmountOutOfRange, said).detail("item_ids", "names a refunded item")
}
