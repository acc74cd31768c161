//! `/portal/v1`.

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    events::EventAnswer,
    persons::{
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
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = sessions();
    all.extend(people());
    all.extend(programs());
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
            .answers::<Me>(200),
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
    ]
}
