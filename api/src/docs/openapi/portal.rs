//! `/portal/v1`.

use super::{
    Operation, TOP_UP_OPENED, earnings,
    parameters::{LEDGER, Parameter, TOP_UPS},
    payouts,
};
use crate::{
    api_keys::{
        Key,
        create::{CreateKey, CreatedKey},
        dynamic_url::DynamicUrl,
        revoke::RevokeKey,
        rotate::RotateKey,
        update::UpdateKey,
    },
    audit::own::OwnAuditEntry,
    balances::{Balance, entry::Entry, settings::BalanceSettings, statement::Statement},
    error::Code,
    events::EventAnswer,
    persons::{
        email::ConfirmEmail,
        invitation::{AcceptInvitation, DeclineInvitation, DeclinedInvitation, OfferedProgram},
        me::{Me, UpdateMe},
        password::ChangePassword,
        programs::ResellerProgram,
        reset::{ConfirmReset, OfferReset},
        totp::{ConfirmTotp, Confirmed, Offered},
    },
    sessions::{
        list::OwnSession,
        sign_in::{SignIn, SignedIn},
        step_up::{StepUp, SteppedUp},
    },
    top_ups::{TopUpView, open::OpenTopUp},
    wire::fields::Nothing,
};

/// What making or changing a key may be answered besides.
const KEY_CHANGES: [Code; 3] = [
    Code::StepUpRequired,
    Code::RelationshipInactive,
    Code::InvalidState,
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = sessions();
    all.extend(people());
    all.extend(programs());
    all.extend(keys());
    all.extend(balances());
    all.extend(top_ups());
    all.extend(earnings::of_resellers());
    all.extend(payouts::of_resellers());
    all
}

fn sessions() -> Vec<Operation> {
    vec![
        Operation::of_pages("post", "/portal/v1/session", "Sign in.")
            .takes::<SignIn>()
            .answers::<SignedIn>(200),
        Operation::of_session("delete", "/portal/v1/session", "Sign out.").answers_nothing(),
        Operation::of_session(
            "post",
            "/portal/v1/step-up",
            "Repeat password or code, for calls that demand it.",
        )
        .takes::<StepUp>()
        .answers::<SteppedUp>(200),
        Operation::of_session("get", "/portal/v1/sessions", "Where you are signed in.")
            .answers_all::<OwnSession>(),
        Operation::of_session("delete", "/portal/v1/sessions", "End all other sessions.")
            .answers_nothing(),
        Operation::of_session("delete", "/portal/v1/sessions/{ses}", "End a session.")
            .answers_nothing(),
    ]
}

fn people() -> Vec<Operation> {
    vec![
        Operation::of_session("get", "/portal/v1/me", "Who is signed in.").answers::<Me>(200),
        Operation::of_session("patch", "/portal/v1/me", "Change your name.")
            .takes::<UpdateMe>()
            .refuses(&[Code::StepUpRequired])
            .answers::<Me>(200),
        Operation::of_pages(
            "post",
            "/portal/v1/me/email/confirm",
            "Put another e-mail address in force by a link.",
        )
        .takes::<ConfirmEmail>()
        .refuses(&[Code::Expired, Code::AlreadyExists])
        .answers_nothing(),
        Operation::of_session(
            "post",
            "/portal/v1/me/password",
            "Another password; all other sessions end.",
        )
        .takes::<ChangePassword>()
        .refuses(&[Code::InvalidState])
        .answers_nothing(),
        Operation::of_pages(
            "post",
            "/portal/v1/password-reset",
            "Have a link to a new password mailed.",
        )
        .takes::<OfferReset>()
        .answers_nothing(),
        Operation::of_pages(
            "post",
            "/portal/v1/password-reset/confirm",
            "Set a new password by a link.",
        )
        .takes::<ConfirmReset>()
        .refuses(&[Code::Expired])
        .answers_nothing(),
        Operation::of_session(
            "post",
            "/portal/v1/totp",
            "A new secret for one-time codes.",
        )
        .refuses(&[Code::InvalidState])
        .answers::<Offered>(200),
        Operation::of_session(
            "post",
            "/portal/v1/totp/confirm",
            "Switch one-time codes on.",
        )
        .takes::<ConfirmTotp>()
        .refuses(&[Code::InvalidState])
        .answers::<Confirmed>(200),
        Operation::of_session("delete", "/portal/v1/totp", "Switch one-time codes off.")
            .refuses(&[Code::StepUpRequired])
            .answers_nothing(),
    ]
}

fn keys() -> Vec<Operation> {
    let (all, one) = (
        "/portal/v1/programs/{rel}/api-keys",
        "/portal/v1/programs/{rel}/api-keys/{key}",
    );
    vec![
        Operation::of_session("get", all, "Your keys, without secrets.")
            .query(&[Parameter::LIMIT, Parameter::CURSOR])
            .lists::<Key>(),
        Operation::of_session("post", all, "Make a key. Its secret is told once.")
            .once()
            .takes::<CreateKey>()
            .answers::<CreatedKey>(201)
            .refuses(&KEY_CHANGES)
            .refuses(&[Code::ModeNotAllowed]),
        Operation::of_session(
            "patch",
            one,
            "Change a key: once answered, nothing is executed under its old bounds.",
        )
        .once()
        .takes::<UpdateKey>()
        .answers::<Key>(200)
        .refuses(&KEY_CHANGES)
        .refuses(&[Code::ModeNotAllowed]),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/api-keys/{key}/dynamic-url",
            "Addresses that order one product with a key, without its secret.",
        )
        .query(&Parameter::DYNAMIC_URL)
        .answers::<DynamicUrl>(200)
        .refuses(&[Code::ValidationError, Code::InvalidState]),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/api-keys/{key}/rotate",
            "A successor of a key, which works beside it for a while.",
        )
        .once()
        .takes::<RotateKey>()
        .answers::<CreatedKey>(201)
        .refuses(&KEY_CHANGES),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/api-keys/{key}/revoke",
            "End a key: once answered, it buys nothing any more.",
        )
        .once()
        .takes::<RevokeKey>()
        .answers::<Key>(200),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/export",
            "Everything of your relationship, a JSON value per line, the rows of one moment.",
        )
        .answers_lines()
        .refuses(&[Code::StepUpRequired]),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/test/reset",
            "Begin test mode anew: ten thousand in its balance, and no records.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<Balance>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

fn balances() -> Vec<Operation> {
    vec![
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/balance",
            "What is posted, held and available.",
        )
        .query(&[Parameter::TEST])
        .answers::<Balance>(200),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/ledger",
            "Every change of the balance, newest first.",
        )
        .query(&LEDGER)
        .query(&[Parameter::TEST])
        .lists::<Entry>()
        .or("text/csv"),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/statement",
            "A period: opening, closing, totals, a digest; as a file with every entry.",
        )
        .query(&[
            Parameter::FROM.required(),
            Parameter::TO.required(),
            Parameter::TEST,
            Parameter::CSV,
        ])
        .answers::<Statement>(200)
        .or("text/csv"),
    ]
}

fn top_ups() -> Vec<Operation> {
    let (all, one) = (
        "/portal/v1/programs/{rel}/top-ups",
        "/portal/v1/programs/{rel}/top-ups/{inv}",
    );
    vec![
        Operation::of_session(
            "put",
            "/portal/v1/programs/{rel}/balance/settings",
            "When your balance is low, and whether it is topped up by itself.",
        )
        .once()
        .takes::<BalanceSettings>()
        .answers::<Balance>(200)
        .refuses(&[
            Code::RelationshipInactive,
            Code::ModeNotAllowed,
            Code::AmountOutOfRange,
        ]),
        Operation::of_session("get", all, "Your top-ups, newest first.")
            .query(&TOP_UPS)
            .lists::<TopUpView>(),
        Operation::of_session("post", all, "Open an invoice that tops your balance up.")
            .once()
            .takes::<OpenTopUp>()
            .answers::<TopUpView>(200)
            .answers::<TopUpView>(201)
            .refuses(&TOP_UP_OPENED),
        Operation::of_session("get", one, "One top-up, with how to pay it.")
            .answers::<TopUpView>(200),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/top-ups/{inv}/cancel",
            "You will not pay this invoice.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<TopUpView>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

fn programs() -> Vec<Operation> {
    vec![
        Operation::of_pages(
            "get",
            "/portal/v1/invitations/{token}",
            "What an invitation offers.",
        )
        .refuses(&[Code::Expired])
        .answers::<OfferedProgram>(200),
        Operation::of_pages(
            "post",
            "/portal/v1/invitations/{token}/accept",
            "Join a program; whoever has no log-in yet gets one.",
        )
        .takes::<AcceptInvitation>()
        .refuses(&[Code::Expired, Code::InvalidState])
        .answers::<ResellerProgram>(200),
        Operation::of_pages(
            "post",
            "/portal/v1/invitations/{token}/decline",
            "Decline an invitation.",
        )
        .takes::<DeclineInvitation>()
        .refuses(&[Code::Expired, Code::InvalidState])
        .answers::<DeclinedInvitation>(200),
        Operation::of_session("get", "/portal/v1/programs", "The programs you are in.")
            .answers_all::<ResellerProgram>(),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}",
            "One program you are in.",
        )
        .answers::<ResellerProgram>(200),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/events",
            "What happened in one program, in the order of its numbers.",
        )
        .query(&Parameter::FEED)
        .query(&[Parameter::TEST])
        .feeds::<EventAnswer>(),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/audit-log",
            "What was done to your relationship and its keys, newest first.",
        )
        .query(&[Parameter::LIMIT, Parameter::CURSOR])
        .lists::<OwnAuditEntry>(),
    ]
}
