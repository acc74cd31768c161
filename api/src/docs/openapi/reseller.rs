//! `/reseller/v1`.

use engine::api_keys::Scope;
use serde_json::json;

use super::{
    Operation,
    parameters::{LEDGER, Parameter, TOP_UPS},
};
use crate::{
    balances::{Balance, entry::Entry, statement::Statement},
    catalog::CatalogProduct,
    error::Code,
    events::EventAnswer,
    fulfillments::{
        answer::{FulfillmentAnswer, Item},
        bulk::Answers,
        dynamic_url,
        orders::{CreateOrder, Created, Found, Order},
        request::CreateFulfillment,
        reveal::RevealItem,
    },
    me::ResellerMe,
    top_ups::TopUpView,
};

/// What an order may be refused for.
const ORDER: [Code; 17] = [
    Code::NotFound,
    Code::ValidationError,
    Code::OrderInProgress,
    Code::OrderMismatch,
    Code::ProgramDisabled,
    Code::RelationshipInactive,
    Code::ModeNotAllowed,
    Code::ProductNotAllowed,
    Code::ProductNotEligible,
    Code::QuantityOutOfRange,
    Code::PriceChanged,
    Code::PurchaseLimitExceeded,
    Code::SpendCapExceeded,
    Code::InsufficientBalance,
    Code::OutOfStock,
    Code::Unauthorized,
    Code::OutcomeUnknown,
];

pub(super) const FILTERS: [Parameter; 7] = [
    Parameter::text("status", "Statuses, by comma."),
    Parameter::text("product_id", "Of this product."),
    Parameter::text("channel", "Of this channel."),
    Parameter::FROM,
    Parameter::TO,
    Parameter::LIMIT,
    Parameter::CURSOR,
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = reads();
    all.push(
        Operation::new(
            "get",
            "/reseller/v1/events",
            "What happened, in the order of its numbers, for ninety days.",
        )
        .scope(Scope::FulfillmentsRead)
        .query(&Parameter::FEED)
        .feeds::<EventAnswer>(),
    );
    all.extend(top_ups());
    all.extend(fulfillments());
    all.extend(orders());
    all
}

fn top_ups() -> Vec<Operation> {
    let one = "/reseller/v1/top-ups/{inv}";
    vec![
        Operation::new("get", "/reseller/v1/top-ups", "Top-ups, newest first.")
            .scope(Scope::BalanceRead)
            .query(&TOP_UPS)
            .lists::<TopUpView>(),
        Operation::new("get", one, "One top-up, with how to pay it.")
            .scope(Scope::BalanceRead)
            .answers::<TopUpView>(200),
    ]
}

fn reads() -> Vec<Operation> {
    let get = |path, summary| Operation::new("get", path, summary);
    vec![
        get(
            "/reseller/v1/me",
            "Who calls, for which shop, with which limits.",
        )
        .answers::<ResellerMe>(200),
        get(
            "/reseller/v1/balance",
            "What is posted, held and available.",
        )
        .scope(Scope::BalanceRead)
        .answers::<Balance>(200),
        get(
            "/reseller/v1/balance/ledger",
            "Every change of the balance, newest first.",
        )
        .scope(Scope::BalanceRead)
        .query(&LEDGER)
        .lists::<Entry>()
        .or("text/csv"),
        get(
            "/reseller/v1/balance/statement",
            "A period: opening, closing, totals, a digest.",
        )
        .scope(Scope::BalanceRead)
        .query(&[Parameter::FROM.required(), Parameter::TO.required()])
        .answers::<Statement>(200),
        get(
            "/reseller/v1/products",
            "What may be sold, at which price, how many there are.",
        )
        .scope(Scope::ProductsRead)
        .query(&[
            Parameter::PAGE,
            Parameter::PER_PAGE,
            Parameter::LIMIT,
            Parameter::CURSOR,
            Parameter::flag(
                "orderable",
                "Only what an order would get now, or would not.",
            ),
            Parameter::text("search", "A part of the title."),
        ])
        .lists_both_ways::<CatalogProduct>(),
        get(
            "/reseller/v1/products/{product_id}",
            "One product that the reseller has access to.",
        )
        .scope(Scope::ProductsRead)
        .answers::<CatalogProduct>(200),
    ]
}

fn fulfillments() -> Vec<Operation> {
    let header =
        Parameter::IDEMPOTENCY_KEY.says("Kept with the order for search; it binds nothing.");
    vec![
        Operation::new(
            "post",
            "/reseller/v1/fulfillments",
            "Deliver a product for an external order id: once, all or nothing.",
        )
        .scope(Scope::FulfillmentsWrite)
        .query(&[header])
        .takes::<CreateFulfillment>()
        .answers::<FulfillmentAnswer>(200)
        .answers::<FulfillmentAnswer>(201)
        .refuses(&ORDER),
        Operation::new(
            "post",
            "/reseller/v1/fulfillments/bulk",
            "1 to 100 independent fulfillments, each with its own status.",
        )
        .scope(Scope::FulfillmentsWrite)
        .takes_many::<CreateFulfillment>(|row| {
            // A row that is no order is refused in its place; the others are not.
            let row = json!({"anyOf": [row, {}]});
            let rows = json!({"type": "array", "items": row, "minItems": 1, "maxItems": 100});
            json!({
                "type": "object",
                "required": ["rows"],
                "properties": {"rows": rows},
                "additionalProperties": false,
            })
        })
        .answers::<Answers>(200),
        dynamic(),
        Operation::new(
            "get",
            "/reseller/v1/fulfillments",
            "Fulfillments without serials, or the one of an external order id with them.",
        )
        .scope(Scope::FulfillmentsRead)
        .query(&[Parameter::text(
            "external_order_id",
            "Alone: what is bound to this id.",
        )])
        .query(&FILTERS)
        .query(&[Parameter::CSV])
        .lists::<FulfillmentAnswer>()
        .or("text/csv")
        .refuses(&[Code::OrderInProgress]),
        Operation::new(
            "get",
            "/reseller/v1/fulfillments/{id}",
            "One fulfillment with its serials.",
        )
        .scope(Scope::FulfillmentsRead)
        .answers::<FulfillmentAnswer>(200),
        Operation::new(
            "post",
            "/reseller/v1/fulfillments/{id}/items/{item}/revealed",
            "Say when a customer opened a serial: the first value counts.",
        )
        .scope(Scope::FulfillmentsWrite)
        .once()
        .takes::<RevealItem>()
        .answers::<Item>(200),
    ]
}

fn dynamic() -> Operation {
    Operation::new(
        "get",
        dynamic_url::PATH,
        "Deliver by opening an address, for shops that can do nothing else. It buys something.",
    )
    .scope(Scope::DynamicWrite)
    .query(&[
        Parameter::text("api_key", "The key, if the address is not signed."),
        Parameter::text("key_id", "Signed: the id of the key."),
        Parameter::text("ts", "Signed: Unix seconds, good for five minutes."),
        Parameter::text(
            "sig",
            "Signed: the hex HMAC-SHA256 over the other parameters.",
        ),
        Parameter::text("external_order_id", "Binds the order.").required(),
        Parameter::text("product_id", "What is ordered.").required(),
        Parameter::text("variant_id", "Which variant, if it has any."),
        Parameter::text("customer_email", "Whose order it is.").required(),
        Parameter::whole("quantity", (1, Some(100)), "How many, else 1."),
        Parameter::text("max_unit_price", "Refuses above it; never sets a price."),
        Parameter::one_of(
            "format",
            &["json", "text"],
            "`text` is one serial per line.",
        ),
    ])
    .answers::<FulfillmentAnswer>(200)
    .or("text/plain")
    .refuses(&ORDER)
    .refuses(&[Code::BrowserRefused])
}

fn orders() -> Vec<Operation> {
    let header = Parameter::IDEMPOTENCY_KEY.says("The external order id, unless the body has it.");
    vec![
        Operation::new(
            "post",
            "/reseller/v1/orders",
            "Several lines in one order, all or nothing.",
        )
        .scope(Scope::FulfillmentsWrite)
        .query(&[header])
        .takes::<CreateOrder>()
        .answers::<Created>(200)
        .answers::<Created>(201)
        .refuses(&ORDER),
        Operation::new(
            "get",
            "/reseller/v1/orders",
            "Orders without their lines, newest first.",
        )
        .scope(Scope::FulfillmentsRead)
        .query(&FILTERS)
        .lists::<Order>(),
        Operation::new(
            "get",
            "/reseller/v1/orders/{id}",
            "One order with its lines.",
        )
        .scope(Scope::FulfillmentsRead)
        .answers::<Found>(200),
    ]
}
