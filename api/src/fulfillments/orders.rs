//! `/reseller/v1/orders`: the second generation's form of a fulfillment, with up to 20 lines.
//!
//! The header `Idempotency-Key` is the external order id. An order and a fulfillment are one record:
//! each is found through the other's path.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use engine::{
    catalog::Sku,
    engine::Engine,
    fulfillments::{Channel, Draft, Email, Line, OrderId, Request},
    ids::{FulfillmentId, ProductId, VariantId},
    money::{Currency, Money},
    vault::Vault,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::{Id, LineAnswer, Serials, Told},
    create::execute,
    filter, get as fulfillments_get,
    list::page_of,
    request::{checked, strings},
};
use crate::{
    auth::{
        ResellerKey,
        scope::{FulfillmentsRead, FulfillmentsWrite},
    },
    error::ApiError,
    extract::{Body, PathIds, Query, idempotency_key::IdempotencyKey},
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Strings, Text, Whole},
        money::{Amount, CurrencyCode, MoneyText},
        page::CursorPage,
        time::Time,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOrder {
    #[schema(value_type = Vec<OrderItem>, min_items = 1, max_items = 20)]
    items: Vec<Object<OrderItem>>,
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    customer_email: Option<Text<Email>>,
    max_total: Option<Amount>,
    notify_customer: Option<bool>,
    metadata: Option<Strings>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    external_order_id: Option<Text<OrderId>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrderItem {
    #[schema(value_type = String)]
    product_id: Text<ProductId>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Text<VariantId>>,
    #[schema(value_type = u32, minimum = 1, maximum = 100)]
    quantity: Whole,
    custom_fields: Option<Strings>,
    max_unit_price: Option<Amount>,
}

/// The order without its lines.
#[derive(Serialize, ToSchema)]
pub(crate) struct Order<'a> {
    #[schema(value_type = String)]
    uniqid: Id<FulfillmentId>,
    #[schema(value_type = String)]
    id: Id<FulfillmentId>,
    external_order_id: &'a str,
    status: &'static str,
    total: MoneyText,
    currency: CurrencyCode,
    balance_after: MoneyText,
    reused: bool,
    created_at: Time,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedOrder)]
pub(crate) struct Created<'a> {
    order: Order<'a>,
    deliverables: Vec<LineAnswer<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderWithLines)]
pub(crate) struct Found<'a> {
    #[serde(flatten)]
    order: Order<'a>,
    lines: Vec<LineAnswer<'a>>,
}

pub(crate) async fn create(
    State(engine): State<Engine>,
    caller: ResellerKey<FulfillmentsWrite>,
    IdempotencyKey(header): IdempotencyKey,
    Body(wire): Body<CreateOrder>,
) -> Result<Response, ApiError> {
    let order_id = order_id(header.as_deref(), wire.external_order_id.as_ref())?;
    let request = wire.into_request(&caller, order_id, engine.vault())?;
    let told = execute(&engine, &caller, request).await?;
    let created = Created {
        order: order(&told, caller.currency()),
        deliverables: told.lines(),
    };
    let answer = if told.reused {
        Answer::replayed(created)
    } else {
        Answer::created(created)
    };
    Ok(answer.into_response())
}

pub(crate) async fn get(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsRead>,
    PathIds(id): PathIds<FulfillmentId>,
) -> Result<Response, ApiError> {
    let told = fulfillments_get::find(&app, &caller, id).await?;
    let found = Found {
        order: order(&told, caller.currency()),
        lines: told.lines(),
    };
    Ok(Answer::ok(found).into_response())
}

pub(crate) async fn list(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let page = CursorPage::read(&query, &format!("orders of {}", caller.scope().balance))?;
    let (found, next) = page_of(&app, &caller, filter::read(&query)?, &page).await?;
    let mut told = Vec::with_capacity(found.len());
    for fulfillment in found {
        let fulfillment = Arc::new(fulfillment);
        told.push(Told::to(&app.engine, &caller, fulfillment, Serials::Omitted).await?);
    }
    let orders = told
        .iter()
        .map(|told| order(told, caller.currency()))
        .collect();
    Ok(page.answer(orders, next))
}

fn order(told: &Told, currency: Currency) -> Order<'_> {
    let (stamp, contents) = (&told.fulfillment.stamp, &told.fulfillment.contents);
    let money = |amount: Money| MoneyText(currency, amount);
    Order {
        uniqid: Id(told.id()),
        id: Id(told.id()),
        external_order_id: contents.order_id.as_str(),
        status: told.fulfillment.standing().name(),
        total: money(contents.total),
        currency: CurrencyCode(currency),
        balance_after: money(stamp.balance_after),
        reused: told.reused,
        created_at: Time(stamp.created_at),
    }
}

/// The order id of header and body; both may be sent if they are the same.
fn order_id(header: Option<&str>, body: Option<&Text<OrderId>>) -> Result<OrderId, ApiError> {
    let header = header.map(|text| {
        OrderId::parse(text).map_err(|message| ApiError::field("Idempotency-Key", message))
    });
    match (header.transpose()?, body) {
        (Some(header), Some(Text(body))) if header != *body => Err(ApiError::field(
            "external_order_id",
            "differs from the header Idempotency-Key",
        )),
        (Some(header), _) => Ok(header),
        (None, Some(Text(body))) => Ok(body.clone()),
        (None, None) => Err(ApiError::field("Idempotency-Key", "is required")),
    }
}

impl CreateOrder {
    fn into_request(
        self,
        caller: &ResellerKey<FulfillmentsWrite>,
        order_id: OrderId,
        vault: &Vault,
    ) -> Result<Request, ApiError> {
        let currency = caller.currency();
        let max_total = self
            .max_total
            .map(|amount| amount.read(currency, "max_total"));
        let lines = self
            .items
            .into_iter()
            .map(|Object(item)| item.into_line(currency));
        let draft = Draft {
            scope: caller.scope(),
            key: caller.key_id(),
            order_id,
            channel: Channel::Orders,
            lines: lines.collect::<Result<_, _>>()?,
            customer_email: self.customer_email.map(|email| email.0),
            max_total: max_total.transpose()?,
            metadata: strings(self.metadata),
            idempotency_key: None,
            notify_customer: self.notify_customer,
        };
        checked(draft, vault)
    }
}

impl OrderItem {
    fn into_line(self, currency: Currency) -> Result<Line, ApiError> {
        let max = self
            .max_unit_price
            .map(|amount| amount.read(currency, "items.max_unit_price"));
        Ok(Line {
            sku: Sku {
                product: self.product_id.0,
                variant: self.variant_id.map(|id| id.0),
            },
            quantity: self.quantity.0,
            max_unit_price: max.transpose()?,
            custom_fields: strings(self.custom_fields),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_the_order_id_and_the_body_may_stand_in() {
        let body = Text(OrderId::parse("cart-1").unwrap());
        let long = "a".repeat(129);
        let read = |header, body| order_id(header, body).ok().map(|id| id.to_string());
        assert_eq!(read(Some("cart-1"), None).as_deref(), Some("cart-1"));
        assert_eq!(read(Some("cart-1"), Some(&body)).as_deref(), Some("cart-1"));
        assert_eq!(read(None, Some(&body)).as_deref(), Some("cart-1"));
        assert_eq!(read(Some("cart-2"), Some(&body)), None);
        assert_eq!(read(Some(&long), None), None);
        assert_eq!(read(None, None), None);
    }
}
