//! What resellers sell with, of both sides: the same calls on other paths.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    campaigns::{
        CampaignWithSnippet, EmbedCampaign, change::UpdateCampaign, create::CreateCampaign,
    },
    embeds::snippet::Snippet,
    error::Code,
    links::{TrackedLink, change::UpdateLink, create::CreateLink},
    listings::{
        ListingView, archive::ArchiveListing, change::UpdateListing, create::CreateListing,
        quote::ListingQuote,
    },
    overview::Overview,
    wire::fields::Nothing,
};

/// Where a side has what it sells with.
struct Paths {
    links: &'static str,
    link: &'static str,
    campaigns: &'static str,
    campaign: &'static str,
}

const DEV: Paths = Paths {
    links: "/dev/v1/resellers/{id}/links",
    link: "/dev/v1/resellers/{id}/links/{lnk}",
    campaigns: "/dev/v1/resellers/{id}/embed-campaigns",
    campaign: "/dev/v1/resellers/{id}/embed-campaigns/{cmp}",
};
const PORTAL: Paths = Paths {
    links: "/portal/v1/programs/{rel}/links",
    link: "/portal/v1/programs/{rel}/links/{lnk}",
    campaigns: "/portal/v1/programs/{rel}/embed-campaigns",
    campaign: "/portal/v1/programs/{rel}/embed-campaigns/{cmp}",
};
const OVERVIEW: [Parameter; 3] = [
    Parameter::text("relationship_id", "Of this program only."),
    Parameter::FROM,
    Parameter::TO,
];
const FLAVOR: Parameter = Parameter::text("flavor", "html, react or link; else html.");

/// What placing something that attributes sales may be answered besides.
const PLACED: [Code; 4] = [
    Code::RelationshipInactive,
    Code::ModeNotAllowed,
    Code::ProductNotAllowed,
    Code::InvalidState,
];

type Of = fn(&'static str, &'static str, &'static str) -> Operation;

pub(super) fn dev() -> Vec<Operation> {
    let of: Of = |method, path, summary| {
        let scope = if method == "get" {
            Scope::ResellersRead
        } else {
            Scope::ResellersWrite
        };
        Operation::new(method, path, summary).scope(scope)
    };
    let mut all = links(&DEV, of);
    all.extend(campaigns(&DEV, of));
    all.push(
        of(
            "get",
            "/dev/v1/resellers/{id}/listings",
            "What a reseller lists, newest first.",
        )
        .query(&[Parameter::LIMIT, Parameter::CURSOR])
        .lists::<ListingView>(),
    );
    all.push(
        of(
            "post",
            "/dev/v1/resellers/{id}/listings/{lst}/archive",
            "End a listing for good.",
        )
        .once()
        .takes::<ArchiveListing>()
        .answers::<ListingView>(200),
    );
    all
}

pub(super) fn portal() -> Vec<Operation> {
    let of: Of = Operation::of_session;
    let mut all = vec![
        of(
            "get",
            "/portal/v1/overview",
            "What your programs brought over a time, and where they stand.",
        )
        .query(&OVERVIEW)
        .answers::<Overview>(200)
        .refuses(&[Code::NotFound, Code::ValidationError]),
    ];
    all.extend(links(&PORTAL, of));
    all.extend(campaigns(&PORTAL, of));
    all.push(
        of(
            "get",
            "/portal/v1/programs/{rel}/embed-campaigns/{cmp}/snippet",
            "What to place in a page, in a component or in a chat.",
        )
        .query(&[FLAVOR])
        .answers::<Snippet>(200)
        .refuses(&[Code::InvalidState]),
    );
    all.push(
        of(
            "post",
            "/portal/v1/programs/{rel}/embed-campaigns/{cmp}/rotate-token",
            "Another token: every snippet that was given out shows nothing any more.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<Snippet>(200)
        .refuses(&[Code::InvalidState]),
    );
    all.extend(listings());
    all
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

fn campaigns(at: &Paths, of: Of) -> Vec<Operation> {
    vec![
        of("get", at.campaigns, "Embed campaigns, newest first.")
            .query(&[Parameter::LIMIT, Parameter::CURSOR])
            .lists::<EmbedCampaign>(),
        of(
            "post",
            at.campaigns,
            "Make a widget for other pages, and get the snippet to place.",
        )
        .once()
        .takes::<CreateCampaign>()
        .answers::<CampaignWithSnippet>(201)
        .refuses(&PLACED),
        of(
            "patch",
            at.campaign,
            "Rename, limit, pause, resume or revoke a campaign.",
        )
        .once()
        .takes::<UpdateCampaign>()
        .answers::<EmbedCampaign>(200)
        .refuses(&PLACED),
    ]
}

/// What listing something may be answered besides.
const LISTED: [Code; 6] = [
    Code::ProgramDisabled,
    Code::RelationshipInactive,
    Code::ModeNotAllowed,
    Code::ProductNotAllowed,
    Code::ProductNotEligible,
    Code::PriceOutOfRange,
];

fn listings() -> Vec<Operation> {
    let (all, one) = (
        "/portal/v1/programs/{rel}/listings",
        "/portal/v1/programs/{rel}/listings/{lst}",
    );
    let quoted = [
        Parameter::text("product_id", "What is to be listed.").required(),
        Parameter::text("variant_id", "Of a product that has variants."),
        Parameter::text("price", "Your price.").required(),
    ];
    vec![
        Operation::of_session("get", all, "What you list, newest first.")
            .query(&[Parameter::LIMIT, Parameter::CURSOR])
            .lists::<ListingView>(),
        Operation::of_session("post", all, "List a product at a price of your own.")
            .once()
            .takes::<CreateListing>()
            .answers::<ListingView>(201)
            .refuses(&LISTED)
            .refuses(&[Code::AlreadyExists]),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/listings/quote",
            "What a product could be listed at, and what that would earn.",
        )
        .query(&quoted)
        .answers::<ListingQuote>(200)
        .refuses(&LISTED)
        .refuses(&[Code::ValidationError]),
        Operation::of_session(
            "patch",
            one,
            "Another price; pause, resume or archive a listing.",
        )
        .once()
        .takes::<UpdateListing>()
        .answers::<ListingView>(200)
        .refuses(&LISTED)
        .refuses(&[Code::InvalidState]),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/listings/{lst}/snippet",
            "What to place in a page, in a component or in a chat.",
        )
        .query(&[FLAVOR])
        .answers::<Snippet>(200)
        .refuses(&[Code::InvalidState]),
    ]
}
