//! `GET /portal/v1/programs/{rel}/export`: everything of a relationship, one JSON value per line, also while
//! it is suspended and after its end (N23).
//!
//! Keeps: all rows are of one moment; what leaves is noted before the first of them, serials as handed over. A
//! relationship has one export at a time, and an export its place for two minutes at most, however it is read.
//! A failure on the way ends the answer early, so that it is not taken for a whole one: the last line of a
//! whole one says so.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use engine::{
    ids::RelationshipId, merchants::Merchant, money::Currency, relationships::RelationshipScope,
};
use futures_util::{
    FutureExt as _, Stream, StreamExt as _, TryStreamExt as _, future::BoxFuture, stream,
    stream::BoxStream,
};
use persistence::{
    Database, Error, api_keys, balances, campaigns, connections, fulfillments, links, listings,
    payouts, persons, relationships::export::note_export, replacements, sales, stock_requests,
    top_ups,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    api_keys::Key,
    auth::SteppedUp,
    balances::{entry::Entry, owner::own_scope},
    campaigns::EmbedCampaign,
    catalog::list::Shop,
    connections::ConnectionView,
    error::{ApiError, Code},
    extract::PathIds,
    fulfillments::answer::{Serials, Told},
    layers::rate_limit,
    links::{Ground, TrackedLink},
    listings::ListingView,
    payouts::PayoutView,
    persons::{in_time::in_time, programs::ResellerProgram},
    replacements::ReplacementAnswer,
    sales::{earnings::EarningsEntry, shown::SaleView},
    state::App,
    stock_requests::{
        InventoryItemView, StockRequestView,
        shown::{Reader, Text},
    },
    top_ups::TopUpView,
};

/// How long an export may take, whoever reads it: as long as its moment lasts.
const EXPORT_MAX: Duration = Duration::from_mins(2);
/// Rows of one look.
const AT_ONCE: u32 = 500;

/// What lines are made from.
#[derive(Clone)]
struct Export {
    app: App,
    db: Database,
    scope: RelationshipScope,
    merchant: Arc<Merchant>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds(id): PathIds<RelationshipId>,
) -> Result<Response, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let under_way = app.exporting.begin(id);
    let under_way = under_way.ok_or_else(rate_limit::too_many_exports)?;
    let permit = Arc::clone(&app.exports).try_acquire_owned();
    let permit = permit.map_err(|_| rate_limit::too_many_exports())?;
    let merchant = app.engine.merchant(scope.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
    note_export(&app.database, scope, (caller.actor(), app.now())).await?;
    let moment = app.database.moment().await?;
    let export = Export {
        db: moment.database(),
        app: app.clone(),
        scope,
        merchant,
    };
    let program = persons::program(&export.db, caller.person_id(), id).await?;
    let program = program.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let program = line("relationship", &ResellerProgram::of(program, &app.origin));
    let products = export.products().await?;
    let head = stream::iter([program].into_iter().chain(products).map(Ok::<_, Error>));
    let rows = head.chain(export.rows());
    let end = stream::once(async move {
        // Until here the moment lasts.
        moment.end().await;
        Ok::<_, Error>(line("end", &json!({})))
    });
    let lines = rows.chain(end).inspect_err(|error| {
        tracing::error!(error = %error, "broke off an export");
    });
    let held = (under_way, permit);
    Ok(answer(in_time(&app.behind, lines, held, EXPORT_MAX)))
}

fn answer(lines: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Response {
    let mut response = Response::new(Body::from_stream(lines));
    for (name, value) in [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"export.ndjson\"",
        ),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// One line: what it is, and it.
fn line<T: Serialize>(kind: &'static str, of: &T) -> Bytes {
    #[derive(Serialize)]
    struct Line<'a, T> {
        #[serde(rename = "type")]
        kind: &'static str,
        data: &'a T,
    }
    let line = serde_json::to_vec(&Line { kind, data: of });
    let mut line = line.expect("answers have string keys and write to memory");
    line.push(b'\n');
    line.into()
}

/// What one look gave: its lines, and where the next begins.
type Looked<K> = Result<(Vec<Bytes>, Option<K>), Error>;

/// The lines of a list, a page at a time.
fn pages<K: Send + 'static>(
    look: impl Fn(Option<K>) -> BoxFuture<'static, Looked<K>> + Send + 'static,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let pages = stream::try_unfold((Some(None), look), |(at, look)| async move {
        let Some(at) = at else {
            return Ok::<_, Error>(None);
        };
        let (lines, next) = look(at).await?;
        let lines = stream::iter(lines.into_iter().map(Ok::<_, Error>));
        Ok(Some((lines, (next.map(Some), look))))
    });
    pages.try_flatten().boxed()
}

impl Export {
    fn currency(&self) -> Currency {
        self.merchant.currency
    }

    fn of(&self) -> (engine::ids::MerchantId, RelationshipId) {
        (self.scope.merchant, self.scope.relationship)
    }

    /// What may be sold, at the prices of now.
    async fn products(&self) -> Result<Vec<Bytes>, ApiError> {
        let terms = self.app.engine.terms(self.scope.relationship).await?;
        let terms = terms.ok_or_else(|| ApiError::new(Code::InternalError))?;
        let shop = Shop::of_owner(Arc::clone(&self.merchant), terms);
        let products = shop.all(&self.app).await?;
        Ok(products.iter().map(|one| line("product", one)).collect())
    }

    fn rows(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let all = [
            self.keys(),
            self.connections(),
            self.links(),
            self.campaigns(),
            self.listings(),
            self.top_ups(),
            self.ledger(),
            self.fulfillments(),
            self.replacements(),
            self.stock_requests(),
            self.items(),
            self.sales(),
            self.earnings(),
            self.payouts(),
        ];
        stream::iter(all).flatten().boxed()
    }

    fn keys(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let scope = api_keys::KeyScope {
                    merchant: this.scope.merchant,
                    relationship: Some(this.scope.relationship),
                };
                let page = api_keys::list(&this.db, scope, before, AT_ONCE).await?;
                let next = page.next(|stored| stored.key.id);
                let (now, currency) = (this.app.now(), this.currency());
                let shown = page.items.iter().map(|one| Key::stored(one, currency, now));
                Ok((shown.map(|key| line("api_key", &key)).collect(), next))
            }
            .boxed()
        })
    }

    fn connections(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let scope = connections::Scope {
                    merchant: this.scope.merchant,
                    relationship: this.scope.relationship,
                };
                let page = connections::list(&this.db, scope, before, AT_ONCE).await?;
                let next = page.next(|connection| connection.id);
                let (origin, currency) = (&this.app.origin, this.currency());
                let shown = page.items.iter();
                let shown = shown.map(|one| ConnectionView::stored(one, origin, currency));
                Ok((shown.map(|one| line("connection", &one)).collect(), next))
            }
            .boxed()
        })
    }

    fn links(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let page = links::list(&this.db, this.of(), before, AT_ONCE).await?;
                let next = page.next(|tracked| tracked.link.id);
                let ground = Ground::of(&this.db, this.merchant.id).await?;
                let with = (&ground, this.currency());
                let items = page.items.iter();
                let shown = items.map(|one| TrackedLink::of(&this.app, one, with));
                Ok((shown.map(|one| line("link", &one)).collect(), next))
            }
            .boxed()
        })
    }

    fn campaigns(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let page = campaigns::list(&this.db, this.of(), before, AT_ONCE).await?;
                let next = page.next(|viewed| viewed.campaign.id);
                let currency = this.currency();
                let items = page.items.iter();
                let shown = items.map(|one| EmbedCampaign::of(one, currency));
                let lines = shown.map(|one| line("embed_campaign", &one));
                Ok((lines.collect(), next))
            }
            .boxed()
        })
    }

    fn listings(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let page = listings::list(&this.db, this.of(), before, AT_ONCE).await?;
                let next = page.next(|listed| listed.judged.listing.id);
                let mut lines = Vec::with_capacity(page.items.len());
                for judged in &page.items {
                    let shown = ListingView::of(&this.app, judged, this.currency()).await;
                    let shown = shown.map_err(|_| Error::Inconsistent {
                        what: "a listing whose stock cannot be told",
                    })?;
                    lines.push(line("listing", &shown));
                }
                Ok((lines, next))
            }
            .boxed()
        })
    }

    fn top_ups(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let (now, currency) = (this.app.now(), this.currency());
                let which = (top_ups::Filter::default(), now);
                let page = top_ups::list(&this.db, this.scope, which, before, AT_ONCE).await?;
                let next = page.next(|invoice| invoice.id);
                let shown = page
                    .items
                    .iter()
                    .map(|one| TopUpView::of(one, currency, now));
                Ok((shown.map(|one| line("top_up", &one)).collect(), next))
            }
            .boxed()
        })
    }

    fn ledger(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let filter = balances::ledger::Filter::default();
        let (db, currency) = (self.db.clone(), self.currency());
        let rows = balances::ledger::rows(db, self.scope, filter);
        let shown = rows.map_ok(move |entry| line("ledger_entry", &Entry::of(entry, currency)));
        shown.boxed()
    }

    fn fulfillments(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        let filter = fulfillments::list::Filter::default();
        let rows = fulfillments::list::stream(self.db.clone(), self.scope, filter);
        let shown = rows.and_then(move |one| {
            let this = this.clone();
            async move {
                let (engine, merchant) = (&this.app.engine, &*this.merchant);
                let told = Told::of(engine, merchant, Arc::new(one), Serials::Shown).await;
                let told = told.map_err(|_| Error::Inconsistent {
                    what: "a delivered serial does not open",
                })?;
                Ok(line("fulfillment", &told.with_stored_email(merchant)))
            }
        });
        shown.boxed()
    }

    fn replacements(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let filter = replacements::list::Filter {
                    relationship: Some(this.scope.relationship),
                    ..replacements::list::Filter::default()
                };
                let merchant = this.scope.merchant;
                let page = replacements::list::list(&this.db, merchant, filter, before, AT_ONCE);
                let page = page.await?;
                let next = page.next(|one| one.id);
                let shown = page.items.iter().map(ReplacementAnswer::of);
                Ok((shown.map(|one| line("replacement", &one)).collect(), next))
            }
            .boxed()
        })
    }

    fn stock_requests(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |below| {
            let this = this.clone();
            async move {
                let (now, currency) = (this.app.now(), this.currency());
                let which = (stock_requests::Filter::default(), now);
                let page =
                    stock_requests::list(&this.db, this.scope, which, below, AT_ONCE).await?;
                let next = page.next(|request| request.number);
                let shown = page
                    .items
                    .iter()
                    .map(|one| StockRequestView::of(one, currency, now));
                Ok((shown.map(|one| line("stock_request", &one)).collect(), next))
            }
            .boxed()
        })
    }

    fn items(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |below| {
            let this = this.clone();
            async move {
                let filter = stock_requests::ItemFilter::default();
                let page =
                    stock_requests::items(&this.db, this.scope, filter, below, AT_ONCE).await?;
                let next = page.next(|item| item.number);
                let mut lines = Vec::with_capacity(page.items.len());
                for item in &page.items {
                    // One that never left may have been taken back and paid back: it stays unread.
                    let text = if item.handed_over_at.is_some() {
                        Text::Clear
                    } else {
                        Text::Masked
                    };
                    let how = (Reader::Reseller, text);
                    let (engine, merchant) = (&this.app.engine, &*this.merchant);
                    let shown = InventoryItemView::of(engine, merchant, item, how).await;
                    lines.push(line("inventory_item", &shown));
                }
                Ok((lines, next))
            }
            .boxed()
        })
    }

    fn sales(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let filter = sales::list::Filter::default();
        let (db, currency) = (self.db.clone(), self.currency());
        let rows = sales::list::stream(db, self.of(), filter);
        let shown = rows.map_ok(move |sale| line("sale", &SaleView::of(&sale, currency)));
        shown.boxed()
    }

    fn earnings(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let this = self.clone();
        pages(move |before| {
            let this = this.clone();
            async move {
                let page = sales::earnings::entries(&this.db, this.of(), before, AT_ONCE).await?;
                let next = page.next(|entry| entry.version);
                let currency = this.currency();
                let shown = page
                    .items
                    .iter()
                    .map(|one| EarningsEntry::of(one, currency));
                Ok((
                    shown.map(|one| line("earnings_entry", &one)).collect(),
                    next,
                ))
            }
            .boxed()
        })
    }

    fn payouts(&self) -> BoxStream<'static, Result<Bytes, Error>> {
        let filter = payouts::Filter {
            statuses: Vec::new(),
        };
        let (db, currency) = (self.db.clone(), self.currency());
        let rows = payouts::stream(db, self.of(), filter);
        let shown = rows.map_ok(move |payout| line("payout", &PayoutView::of(&payout, currency)));
        shown.boxed()
    }
}
