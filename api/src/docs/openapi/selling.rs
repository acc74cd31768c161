//! What resellers sell with, of both sides: the same calls on other paths.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    links::{TrackedLink, change::UpdateLink, create::CreateLink},
};

/// Where a side has its links.
struct Paths {
    links: &'static str,
    link: &'static str,
}

const DEV: Paths = Paths {
    links: "/dev/v1/resellers/{id}/links",
    link: "/dev/v1/resellers/{id}/links/{lnk}",
};
const PORTAL: Paths = Paths {
    links: "/portal/v1/programs/{rel}/links",
    link: "/portal/v1/programs/{rel}/links/{lnk}",
};

/// What placing something that attributes sales may be answered besides.
const PLACED: [Code; 4] = [
    Code::RelationshipInactive,
    Code::ModeNotAllowed,
    Code::ProductNotAllowed,
    Code::InvalidState,
];

type Of = fn(&'static str, &'static str, &'static str) -> Operation;

pub(super) fn dev() -> Vec<Operation> {
    links(&DEV, |method, path, summary| {
        let scope = if method == "get" {
            Scope::ResellersRead
        } else {
            Scope::ResellersWrite
        };
        Operation::new(method, path, summary).scope(scope)
    })
}

pub(super) fn portal() -> Vec<Operation> {
    links(&PORTAL, Operation::of_session)
}

fn links(at: &Paths, of: Of) -> Vec<Operation> {
    vec![
        of(
            "get",
            at.links,
            "Links with what came by them, newest first.",
        )
        .query(&[Parameter::LIMIT, Parameter::CURSOR])
        .lists::<TrackedLink>(),
        of(
            "post",
            at.links,
            "Make a link beside the one that every reseller has.",
        )
        .once()
        .takes::<CreateLink>()
        .answers::<TrackedLink>(201)
        .refuses(&PLACED)
        .refuses(&[Code::AlreadyExists]),
        of(
            "patch",
            at.link,
            "Rename a link, lead it elsewhere, pause, resume or revoke it.",
        )
        .once()
        .takes::<UpdateLink>()
        .answers::<TrackedLink>(200)
        .refuses(&PLACED),
    ]
}
