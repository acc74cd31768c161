//! What was delivered, as merchant and person read it, what it comes to, and what is mailed of it: `/dev/v1`
//! and `/portal/v1`.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter, reseller::FILTERS};
use crate::{
    analytics::AnalyticsView,
    catalog::CatalogProduct,
    error::Code,
    fulfillments::answer::{FulfillmentAnswer, Item},
    notifications::{
        merchant::{MerchantNotifications, SetMerchantNotifications},
        reseller::{Notifications, SetNotifications},
    },
    replacements::{ReplacementAnswer, request::RequestReplacement},
    wire::fields::Nothing,
};

const BESIDES: [Parameter; 4] = [
    Parameter::text("email", "That went to this address."),
    Parameter::text("external_order_id", "What is bound to this id."),
    Parameter::TEST,
    Parameter::CSV,
];

const REPLACEMENTS: [Parameter; 4] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::TEST,
    Parameter::LIMIT,
    Parameter::CURSOR,
];

const PERIOD: [Parameter; 3] = [
    Parameter::time("from", "From this time on, else thirty days before `to`."),
    Parameter::time(
        "to",
        "Before this time, else now; at most 366 days after `from`.",
    ),
    Parameter::one_of(
        "interval",
        &["day", "week", "month"],
        "Parts of `series`, in UTC.",
    ),
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = delivered();
    let sums = |path, summary| {
        Operation::new("get", path, summary)
            .scope(Scope::ResellerSalesRead)
            .query(&PERIOD)
            .answers::<AnalyticsView>(200)
    };
    all.extend(replacements());
    all.extend(notifications());
    all.push(sums(
        "/dev/v1/resellers/analytics",
        "What all resellers sold, earned and bought, in sums.",
    ));
    all.push(sums(
        "/dev/v1/resellers/{id}/analytics",
        "What a reseller sold, earned and bought, in sums.",
    ));
    all
}

const PRODUCTS: [Parameter; 6] = [
    Parameter::PAGE,
    Parameter::PER_PAGE,
    Parameter::LIMIT,
    Parameter::CURSOR,
    Parameter::flag(
        "orderable",
        "Only what an order would get now, or would not.",
    ),
    Parameter::text("search", "A part of the title, in any case."),
];

fn delivered() -> Vec<Operation> {
    let list = |operation: Operation| {
        let listed = operation.query(&FILTERS).query(&BESIDES);
        listed.lists::<FulfillmentAnswer>().or("text/csv")
    };
    vec![
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/products",
            "What you may sell, at which price, how many there are.",
        )
        .query(&PRODUCTS)
        .lists_both_ways::<CatalogProduct>(),
        list(Operation::new(
            "get",
            "/dev/v1/resellers/{id}/fulfillments",
            "What was delivered for a reseller, without serials and with masked addresses.",
        ))
        .scope(Scope::ResellersRead),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/fulfillments/{ful}",
            "One fulfillment of a reseller, with masked serials.",
        )
        .scope(Scope::ResellersRead)
        .answers::<FulfillmentAnswer>(200),
        list(Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/fulfillments",
            "What was delivered for your shops, without serials.",
        )),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/fulfillments/{ful}",
            "One fulfillment, with masked serials.",
        )
        .answers::<FulfillmentAnswer>(200),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/fulfillments/{ful}/items/{item}/reveal",
            "One serial in the clear, noted in the audit log before it is shown.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<Item>(200),
    ]
}

fn replacements() -> Vec<Operation> {
    vec![
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/fulfillments/{ful}/items/{item}/replacements",
            "A delivered serial is no good: ask for another one, once.",
        )
        .once()
        .takes::<RequestReplacement>()
        .answers::<ReplacementAnswer>(201)
        .refuses(&[Code::ReplacementRefused]),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/replacements",
            "The replacements that you asked for, newest first.",
        )
        .query(&REPLACEMENTS)
        .lists::<ReplacementAnswer>(),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/replacements/{rpl}/cancel",
            "Take a request back that nobody has decided about.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<ReplacementAnswer>(200)
        .refuses(&[Code::InvalidState]),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/inventory/{itm}/replacements",
            "A serial of your inventory is no good: ask its merchant for another one.",
        )
        .once()
        .takes::<RequestReplacement>()
        .answers::<ReplacementAnswer>(201)
        .refuses(&[Code::ReplacementRefused]),
    ]
}

fn notifications() -> Vec<Operation> {
    let path = "/portal/v1/programs/{rel}/notifications";
    let of_merchant = "/dev/v1/notifications";
    vec![
        Operation::of_owner(
            "get",
            of_merchant,
            "Which mails you get, and who gets a copy.",
        )
        .answers::<MerchantNotifications>(200),
        Operation::of_owner(
            "put",
            of_merchant,
            "Set which mails you get. What is left out is on.",
        )
        .once()
        .takes::<SetMerchantNotifications>()
        .answers::<MerchantNotifications>(200),
        Operation::of_session("get", path, "Which mails you get, and who gets a copy.")
            .answers::<Notifications>(200),
        Operation::of_session(
            "put",
            path,
            "Set which mails you get. What is left out is on.",
        )
        .once()
        .takes::<SetNotifications>()
        .answers::<Notifications>(200),
    ]
}
