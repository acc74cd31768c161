//! `/dev/v1`.

use engine::api_keys::Scope;

use super::{
    Operation, TOP_UP_OPENED, earnings, invoices, own,
    parameters::{LEDGER, Parameter, TOP_UPS},
    payouts, stock,
};
use crate::{
    api_keys::{
        Key,
        create::{CreateMerchantKey, CreatedKey},
        revoke::RevokeKey,
        rotate::RotateKey,
    },
    audit::{AuditEntry, verify::AuditProof},
    balances::{
        Balance,
        credit::{CreditBalance, CreditedBalance},
        entry::Entry,
        statement::Statement,
    },
    catalog::{create::CreateProduct, product::MerchantProduct, update::UpdateProduct},
    error::Code,
    events::EventAnswer,
    fulfillments::{answer::FulfillmentAnswer, refund::RefundFulfillment},
    invitations::{Invitation, Invited, invite::InviteReseller},
    me::MerchantMe,
    members::{
        Member,
        add::AddMember,
        change::{ChangeMember, RemoveMember},
    },
    payments::methods::{MethodView, ReplaceMethods},
    programs::{ProgramView, update::UpdateProgram},
    relationships::{Reseller, step::StepReason, update::UpdateReseller},
    top_ups::{TopUpView, mark_paid::MarkPaid, open::InvoiceReseller},
    wire::fields::Nothing,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = programs();
    all.extend(invitations());
    all.extend(relationships());
    all.extend(audit());
    all.extend(own::operations());
    all.push(
        Operation::new(
            "get",
            "/dev/v1/events",
            "What happened to all resellers, in the order of its numbers, for ninety days.",
        )
        .scope(Scope::WebhooksRead)
        .query(&Parameter::FEED)
        .query(&[Parameter::TEST])
        .feeds::<EventAnswer>(),
    );
    all.extend(own_keys());
    all.extend(members());
    all.extend(resellers());
    all.extend(balances());
    all.extend(top_ups());
    all.extend(invoices::operations());
    all.extend(payments());
    all.extend(products());
    all.extend(earnings::of_merchants());
    all.extend(payouts::of_merchants());
    all.extend(stock::operations());
    all
}

fn programs() -> Vec<Operation> {
    let path = "/dev/v1/reseller-program";
    vec![
        Operation::new("get", path, "The reseller program.")
            .scope(Scope::ResellerProgramsRead)
            .answers::<ProgramView>(200)
            .refuses(&[Code::NotFound]),
        Operation::new(
            "patch",
            path,
            "Change the program: once answered, nothing is accepted under the old one.",
        )
        .scope(Scope::ResellerProgramsWrite)
        .once()
        .takes::<UpdateProgram>()
        .answers::<ProgramView>(200)
        .refuses(&[Code::NotFound]),
    ]
}

fn invitations() -> Vec<Operation> {
    let step = |path, summary| {
        Operation::new("post", path, summary)
            .scope(Scope::ResellersWrite)
            .once()
            .takes::<Nothing>()
            .refuses(&[Code::InvalidState])
    };
    let filters = [
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::text("status", "Statuses, with commas between them."),
    ];
    vec![
        Operation::new(
            "post",
            "/dev/v1/resellers/invite",
            "Invite somebody by mail. The link is told once.",
        )
        .scope(Scope::ResellersWrite)
        .once()
        .takes::<InviteReseller>()
        .answers::<Invited>(201)
        .refuses(&[Code::AlreadyExists, Code::ProgramDisabled]),
        Operation::new(
            "get",
            "/dev/v1/resellers/invitations",
            "Invitations, newest first.",
        )
        .scope(Scope::ResellersRead)
        .query(&filters)
        .lists::<Invitation>(),
        step(
            "/dev/v1/resellers/invitations/{ivt}/resend",
            "Mail an invitation again, under a new link.",
        )
        .answers::<Invited>(200),
        step(
            "/dev/v1/resellers/invitations/{ivt}/revoke",
            "Take an invitation back.",
        )
        .answers::<Invitation>(200),
    ]
}

fn relationships() -> Vec<Operation> {
    let step = |path, summary| {
        Operation::new("post", path, summary)
            .scope(Scope::ResellersWrite)
            .once()
            .takes::<StepReason>()
            .answers::<Reseller>(200)
            .refuses(&[Code::InvalidState])
    };
    let filters = [
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::PAGE,
        Parameter::PER_PAGE,
        Parameter::CSV,
        Parameter::text("status", "Statuses, with commas between them."),
        Parameter::text("mode", "Modes, with commas between them."),
        Parameter::text("search", "A part of name, e-mail address or code."),
    ];
    vec![
        Operation::new("get", "/dev/v1/resellers", "Resellers, newest first.")
            .scope(Scope::ResellersRead)
            .query(&filters)
            .lists_both_ways::<Reseller>()
            .or("text/csv"),
        Operation::new("get", "/dev/v1/resellers/{id}", "One reseller.")
            .scope(Scope::ResellersRead)
            .answers::<Reseller>(200),
        Operation::new(
            "patch",
            "/dev/v1/resellers/{id}",
            "Change terms or product access: once answered, nothing is accepted under the old ones.",
        )
        .scope(Scope::ResellersWrite)
        .once()
        .takes::<UpdateReseller>()
        .answers::<Reseller>(200)
        .refuses(&[Code::InvalidState, Code::AlreadyExists]),
        step(
            "/dev/v1/resellers/{id}/suspend",
            "Suspend a reseller: once answered, nothing new is delivered.",
        ),
        step(
            "/dev/v1/resellers/{id}/reactivate",
            "End a suspension.",
        ),
        step(
            "/dev/v1/resellers/{id}/terminate",
            "End a relationship for good, and its keys with it.",
        ),
    ]
}

fn audit() -> Vec<Operation> {
    let filters = [
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::text("actor", "The id of who acted."),
        Parameter::text("action", "What was done, such as `reseller.suspend`."),
        Parameter::text("target", "The id of what it was done to."),
        Parameter::FROM,
        Parameter::TO,
    ];
    vec![
        Operation::new("get", "/dev/v1/audit-log", "Who did what, newest first.")
            .scope(Scope::All)
            .query(&filters)
            .query(&[Parameter::CSV])
            .lists::<AuditEntry>()
            .or("text/csv"),
        Operation::new(
            "get",
            "/dev/v1/audit-log/verify",
            "Whether the audit log is what was written.",
        )
        .scope(Scope::All)
        .answers::<AuditProof>(200),
    ]
}

/// For owners who are signed in: keys never make keys.
fn own_keys() -> Vec<Operation> {
    let path = "/dev/v1/api-keys";
    vec![
        Operation::of_owner("get", path, "The merchant's keys, without secrets.")
            .query(&[Parameter::LIMIT, Parameter::CURSOR])
            .lists::<Key>(),
        Operation::of_owner("post", path, "Make a key. Its secret is told once.")
            .once()
            .takes::<CreateMerchantKey>()
            .answers::<CreatedKey>(201)
            .refuses(&[Code::StepUpRequired, Code::InvalidState]),
        Operation::of_owner(
            "post",
            "/dev/v1/api-keys/{key}/rotate",
            "A successor of a key, which works beside it for a while.",
        )
        .once()
        .takes::<RotateKey>()
        .answers::<CreatedKey>(201)
        .refuses(&[Code::StepUpRequired, Code::InvalidState]),
        Operation::of_owner("post", "/dev/v1/api-keys/{key}/revoke", "End a key.")
            .once()
            .takes::<RevokeKey>()
            .answers::<Key>(200),
    ]
}

/// For owners who are signed in.
fn members() -> Vec<Operation> {
    let path = "/dev/v1/members";
    vec![
        Operation::of_owner("get", path, "Who acts for the merchant.").answers_all::<Member>(),
        Operation::of_owner("post", path, "Let somebody act for the merchant.")
            .once()
            .takes::<AddMember>()
            .answers_all_with::<Member>(201)
            .refuses(&[Code::AlreadyExists]),
        Operation::of_owner("patch", path, "Give a member another role.")
            .once()
            .takes::<ChangeMember>()
            .answers_all::<Member>()
            .refuses(&[Code::InvalidState, Code::NotFound]),
        Operation::of_owner("delete", path, "Take a member out of the team.")
            .once()
            .takes::<RemoveMember>()
            .answers_nothing()
            .refuses(&[Code::InvalidState, Code::NotFound]),
    ]
}

fn resellers() -> Vec<Operation> {
    vec![
        Operation::new("get", "/dev/v1/me", "Who calls.").answers::<MerchantMe>(200),
        Operation::new("get", "/dev/v1/me/capabilities", "What the caller may do.")
            .answers::<MerchantMe>(200),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/balance/credit",
            "Add money to a reseller's balance, once per reference.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<CreditBalance>()
        .answers::<CreditedBalance>(200)
        .answers::<CreditedBalance>(201)
        .refuses(&[Code::AlreadyExists]),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/balance/debit",
            "Take money out of a reseller's balance, once per reference.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<CreditBalance>()
        .answers::<CreditedBalance>(200)
        .answers::<CreditedBalance>(201)
        .refuses(&[Code::AlreadyExists, Code::InsufficientBalance]),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/fulfillments/{ful}/refund",
            "Give money back for what was delivered, once per reference; the serials stay claimed.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<RefundFulfillment>()
        .answers::<FulfillmentAnswer>(200)
        .refuses(&[Code::AlreadyExists, Code::AmountOutOfRange]),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/api-keys",
            "A reseller's keys, without secrets.",
        )
        .scope(Scope::ResellersRead)
        .query(&[Parameter::LIMIT, Parameter::CURSOR])
        .lists::<Key>(),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/api-keys/{key}/revoke",
            "End a key: once answered, it buys nothing any more.",
        )
        .scope(Scope::ResellersWrite)
        .once()
        .takes::<RevokeKey>()
        .answers::<Key>(200),
    ]
}

fn balances() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/balance",
            "What is posted, held and available of a reseller.",
        )
        .scope(Scope::ResellersRead)
        .query(&[Parameter::TEST])
        .answers::<Balance>(200),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/balance/ledger",
            "Every change of a reseller's balance, newest first.",
        )
        .scope(Scope::ResellersRead)
        .query(&LEDGER)
        .query(&[Parameter::TEST])
        .lists::<Entry>()
        .or("text/csv"),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/balance/statement",
            "A period of a reseller: opening, closing, totals, a digest.",
        )
        .scope(Scope::ResellersRead)
        .query(&[
            Parameter::FROM.required(),
            Parameter::TO.required(),
            Parameter::TEST,
        ])
        .answers::<Statement>(200),
    ]
}

fn top_ups() -> Vec<Operation> {
    let all = "/dev/v1/resellers/{id}/top-ups";
    vec![
        Operation::new("get", all, "Top-ups of a reseller, newest first.")
            .scope(Scope::ResellersRead)
            .query(&TOP_UPS)
            .lists::<TopUpView>(),
        Operation::new(
            "post",
            all,
            "Send a reseller an invoice that tops its balance up.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<InvoiceReseller>()
        .answers::<TopUpView>(200)
        .answers::<TopUpView>(201)
        .refuses(&TOP_UP_OPENED),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/top-ups/{inv}/mark-paid",
            "The money is there: it is credited, once, late or not.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<MarkPaid>()
        .answers::<TopUpView>(200)
        .refuses(&[
            Code::InvalidState,
            Code::AlreadyExists,
            Code::ProviderUnavailable,
        ]),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/top-ups/{inv}/cancel",
            "Nobody will pay this invoice.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<Nothing>()
        .answers::<TopUpView>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

fn payments() -> Vec<Operation> {
    let path = "/dev/v1/payment-methods";
    vec![
        Operation::of_owner("get", path, "The coins in which you take money, and how.")
            .answers_all::<MethodView>(),
        Operation::of_owner("put", path, "Replace all payment methods.")
            .once()
            .takes::<ReplaceMethods>()
            .answers_all::<MethodView>()
            .refuses(&[Code::StepUpRequired, Code::ProviderUnavailable]),
    ]
}

fn products() -> Vec<Operation> {
    let path = "/dev/v1/products";
    let one = "/dev/v1/products/{id}";
    let filters = [
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::PAGE,
        Parameter::PER_PAGE,
        Parameter::text(
            "status",
            "Statuses, with commas between them, else all but ARCHIVED.",
        ),
        Parameter::text("type", "Types, with commas between them."),
    ];
    vec![
        Operation::new("get", path, "Products, newest first.")
            .scope(Scope::ProductsRead)
            .query(&filters)
            .lists_both_ways::<MerchantProduct>(),
        Operation::new(
            "get",
            "/dev/v1/products/search",
            "Products by a part of their titles, newest first.",
        )
        .scope(Scope::ProductsRead)
        .query(&filters)
        .query(&[Parameter::Q])
        .lists_both_ways::<MerchantProduct>(),
        Operation::new("post", path, "Make a product, with its variants.")
            .scope(Scope::ProductsWrite)
            .once()
            .takes::<CreateProduct>()
            .answers::<MerchantProduct>(201),
        Operation::new("get", one, "One product.")
            .scope(Scope::ProductsRead)
            .answers::<MerchantProduct>(200),
        Operation::new(
            "patch",
            one,
            "Change a product: once answered, nothing is sold under the old price or status.",
        )
        .scope(Scope::ProductsWrite)
        .once()
        .takes::<UpdateProduct>()
        .answers::<MerchantProduct>(200)
        .refuses(&[Code::InvalidState]),
        Operation::new(
            "delete",
            one,
            "End a product: archived if serials were ever stored for it or resellers may have it, else deleted.",
        )
        .scope(Scope::ProductsWrite)
        .once()
        .takes::<Nothing>()
        .answers_nothing(),
    ]
}
