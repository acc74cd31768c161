//! Receivers of the calls of resellers' shops. What the shops call has their own shape: docs/API.md.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    connections::{
        ConnectionView, ConnectionWithSecret, calls::ConnectionCall, change::UpdateConnection,
        create::CreateConnection, rotate::RotateConnectionSecret,
    },
    error::Code,
    wire::fields::Nothing,
};

/// What making or changing a connection may be answered besides.
const CHANGES: [Code; 4] = [
    Code::StepUpRequired,
    Code::RelationshipInactive,
    Code::ModeNotAllowed,
    Code::InvalidState,
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = of_resellers();
    all.extend(of_merchants());
    all
}

fn of_resellers() -> Vec<Operation> {
    let (all, one) = (
        "/portal/v1/programs/{rel}/connections",
        "/portal/v1/programs/{rel}/connections/{con}",
    );
    vec![
        Operation::of_session("get", all, "Receivers of your shops' calls.")
            .query(&[Parameter::LIMIT, Parameter::CURSOR])
            .lists::<ConnectionView>(),
        Operation::of_session(
            "post",
            all,
            "Make a receiver for a shop's calls. A secret that is made here is told once.",
        )
        .once()
        .takes::<CreateConnection>()
        .answers::<ConnectionWithSecret>(201)
        .refuses(&CHANGES),
        Operation::of_session("get", one, "One of them.").answers::<ConnectionView>(200),
        Operation::of_session(
            "patch",
            one,
            "Change, pause or resume: once answered, nothing is delivered under what was before.",
        )
        .once()
        .takes::<UpdateConnection>()
        .answers::<ConnectionView>(200)
        .refuses(&CHANGES),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/connections/{con}/rotate-secret",
            "Another secret; the one before is good beside it for a while.",
        )
        .once()
        .takes::<RotateConnectionSecret>()
        .answers::<ConnectionWithSecret>(200)
        .refuses(&CHANGES),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/connections/{con}/revoke",
            "End a receiver: once answered, nothing is delivered for it.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<ConnectionView>(200),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/connections/{con}/calls",
            "Its last calls, and why one was refused.",
        )
        .query(&[
            Parameter::text("outcome", "DELIVERED, REPLAYED, REFUSED or BAD_SIGNATURE."),
            Parameter::LIMIT,
            Parameter::CURSOR,
        ])
        .lists::<ConnectionCall>(),
    ]
}

fn of_merchants() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/connections",
            "Receivers of a reseller's shops' calls.",
        )
        .scope(Scope::ResellersRead)
        .query(&[Parameter::LIMIT, Parameter::CURSOR])
        .lists::<ConnectionView>(),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/connections/{con}/revoke",
            "End a receiver of a reseller's shop's calls.",
        )
        .scope(Scope::ResellersWrite)
        .once()
        .takes::<Nothing>()
        .answers::<ConnectionView>(200),
    ]
}
