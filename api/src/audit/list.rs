//! `GET /dev/v1/audit-log`: who did what, newest first.

use axum::{extract::State, response::Response};
use engine::audit::Entry;
use futures_util::TryStreamExt as _;
use persistence::audit::{self, Filter};

use super::{AuditEntry, hex};
use crate::{
    auth::{MerchantKey, scope::All},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{
        csv::{self, Row},
        filters,
        page::CursorPage,
        time,
    },
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<All>,
    query: Query,
) -> Result<Response, ApiError> {
    let merchant = caller.merchant_id();
    let page = CursorPage::read(&query, &format!("audit-log {merchant}"))?;
    let before = page.position(|text| text.parse().ok())?;
    let text = |name| query.get(name).map(str::to_owned);
    let filter = Filter {
        actor: text("actor"),
        action: text("action"),
        target: text("target"),
        from: filters::time(&query, "from")?,
        to: filters::time(&query, "to")?,
    };
    if csv::wanted(&query)? {
        let rows = audit::stream(app.database.clone(), merchant, filter);
        return Ok(csv::answer(rows.map_ok(Exported::from)));
    }
    let found = audit::list(&app.database, merchant, filter, before, page.limit).await?;
    let next = found.next(|entry| entry.seq);
    let entries: Vec<_> = found.items.into_iter().map(AuditEntry::from).collect();
    Ok(page.answer(entries, next))
}

/// One entry as a row.
struct Exported([String; 12]);

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"audit-log.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "seq",
        "created_at",
        "actor_type",
        "actor_id",
        "actor_label",
        "action",
        "target",
        "before_digest",
        "after_digest",
        "ip",
        "hash",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

impl From<Entry> for Exported {
    fn from(entry: Entry) -> Self {
        let id = entry.id().to_string();
        let deed = entry.deed;
        Self([
            id,
            entry.seq.to_string(),
            time::text(deed.at),
            deed.actor.kind.name().to_owned(),
            deed.actor.id.unwrap_or_default(),
            deed.actor.label,
            deed.action,
            deed.target,
            deed.before.as_ref().map(hex).unwrap_or_default(),
            deed.after.as_ref().map(hex).unwrap_or_default(),
            deed.actor.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            hex(&entry.hash),
        ])
    }
}
