//! `GET /dev/v1/resellers`: the merchant's resellers, newest first.

use axum::{extract::State, response::Response};
use engine::{ids::RelationshipId, relationships::Status};
use futures_util::TryStreamExt as _;
use persistence::relationships::list::{self, Filter, Listed};

use super::{Reseller, Showcase, mode};
use crate::{
    auth::{MerchantKey, scope::ResellersRead},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{
        csv::{self, Row},
        page::{Paging, numbered},
        texts::words,
        time,
    },
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let merchant = caller.merchant_id();
    let paging = Paging::read(&query, &format!("resellers {merchant}"))?;
    let filter = Filter {
        statuses: words(&query, "status", Status::parse)?,
        modes: words(&query, "mode", mode)?,
        search: query.get("search").map(str::to_owned),
    };
    if csv::wanted(&query)? {
        let rows = list::stream(app.database.clone(), merchant, filter);
        return Ok(csv::answer(rows.map_ok(Exported::from)));
    }
    let showcase = Showcase::of(&app, &caller).await?;
    let show = |items: Vec<Listed>| -> Vec<Reseller> {
        items.into_iter().map(|one| showcase.show(one)).collect()
    };
    match paging {
        Paging::Numbered(page) => {
            let found = list::list_numbered(&app.database, merchant, filter, page).await?;
            Ok(numbered(page, show(found.items), found.total))
        }
        Paging::Cursor(page) => {
            let before = page.position(RelationshipId::parse)?;
            let found = list::list(&app.database, merchant, filter, before, page.limit).await?;
            let next = found.next(|listed| listed.relationship.id);
            Ok(page.answer(show(found.items), next))
        }
    }
}

/// One reseller as a row.
struct Exported([String; 8]);

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"resellers.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "email",
        "name",
        "code",
        "status",
        "mode",
        "accepted_at",
        "created_at",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

impl From<Listed> for Exported {
    fn from(Listed { relationship, .. }: Listed) -> Self {
        Self([
            relationship.id.to_string(),
            relationship.email,
            relationship.name,
            relationship.code,
            relationship.status.name().to_owned(),
            relationship.mode.name().to_owned(),
            relationship.accepted_at.map(time::text).unwrap_or_default(),
            time::text(relationship.created_at),
        ])
    }
}
