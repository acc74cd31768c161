//! The loop that sends events: it takes webhooks whose turn it is, sends what they are to get, and reports.
//!
//! Keeps: so many rounds run at once and no more, one per webhook, each bounded in time; an address that is
//! slow holds up itself. What a round could not report is sent again when its lease is over.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::TimeDelta;
use engine::{
    ids::WebhookId,
    money::Currency,
    vault::Opened,
    webhooks::{Failure, Outcome, Stage},
};
use futures_util::future::join_all;
use persistence::{
    Error,
    webhooks::{
        TRIAL,
        courier::{self, Attempt, Content, Leased, Tried},
    },
};
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

use super::{client::Client, disabled, signature};
use crate::{events::EventAnswer, metrics, state::App, wire::time};

/// How often it looks for what is due when nobody says that there is something new.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Webhooks that are sent to at once.
const ROUNDS_MAX: usize = 64;
/// A round that begins later than this after its lease does not begin: it might not end in time.
const STARTS_WITHIN_SECONDS: i64 = 30;
/// How often webhooks that are behind are looked for, and old ends of deliveries are taken away.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Sends events, for ever.
pub(crate) async fn deliver(app: App, client: Client) {
    let mut rounds = JoinSet::new();
    loop {
        // Asked for before looking, so that what is told meanwhile is not overlooked.
        let told = app.news.told();
        if let Err(error) = begin_rounds(&app, &client, &mut rounds).await {
            tracing::warn!(%error, "could not look for events to send: {error}");
        }
        tokio::select! {
            Some(ended) = rounds.join_next(), if !rounds.is_empty() => report(&ended),
            () = told => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }
}

fn report(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "sending events ended at once: {error}");
    }
}

async fn begin_rounds(app: &App, client: &Client, rounds: &mut JoinSet<()>) -> Result<(), Error> {
    let news = app.news.take();
    if !news.is_empty() {
        courier::wake(&app.database, news, app.now()).await?;
    }
    while let Some(ended) = rounds.try_join_next() {
        report(&ended);
    }
    let room = u32::try_from(ROUNDS_MAX - rounds.len().min(ROUNDS_MAX)).unwrap_or_default();
    if room == 0 {
        return Ok(());
    }
    let (db, vault) = (&app.database, app.engine.vault());
    for leased in courier::claim(db, vault, room, app.now()).await? {
        let (app, client) = (app.clone(), client.clone());
        rounds.spawn(async move {
            let id = leased.webhook;
            if let Err(error) = round(&app, &client, leased).await {
                tracing::warn!(webhook.id = %id, %error, "could not finish sending to {id}: {error}");
            }
        });
    }
    Ok(())
}

async fn round(app: &App, client: &Client, leased: Leased) -> Result<(), Error> {
    let (db, random) = (&app.database, &**app.engine.random());
    let Some(secrets) = &leased.secrets else {
        tracing::error!(webhook.id = %leased.webhook, "the secret of {} does not open", leased.webhook);
        return Ok(());
    };
    let Ok(Some(merchant)) = app.engine.merchant(leased.side.merchant).await else {
        tracing::warn!(webhook.id = %leased.webhook, "cannot tell whose {} is", leased.webhook);
        return Ok(());
    };
    let Some(round) = courier::take(db, &leased, random, app.now()).await? else {
        return Ok(());
    };
    if app.now() - leased.claimed_at > TimeDelta::seconds(STARTS_WITHIN_SECONDS) {
        return Ok(());
    }
    let letter = Letter {
        app,
        client,
        secrets,
        webhook: leased.webhook,
        url: &leased.url,
        currency: merchant.currency,
    };
    let tried = join_all(round.attempts.iter().map(|one| letter.send(one))).await;
    let tried = tried.into_iter().flatten().collect();
    let ended = (tried, round.moved);
    let recorded = courier::record(db, &leased, ended, random, app.now()).await?;
    let Some(recorded) = recorded else {
        return Ok(());
    };
    for stage in recorded.stages {
        metrics::webhook(match stage {
            Stage::Delivered => "delivered",
            Stage::Pending | Stage::Retrying => "deferred",
            Stage::Failed => "failed",
        });
    }
    if recorded.given_up {
        tracing::warn!(webhook.id = %leased.webhook, "gave {} up", leased.webhook);
        disabled::tell_owners(app).await?;
    }
    Ok(())
}

/// What the attempts of one round have in common.
struct Letter<'a> {
    app: &'a App,
    client: &'a Client,
    secrets: &'a [Opened],
    webhook: WebhookId,
    url: &'a str,
    currency: Currency,
}

impl Letter<'_> {
    async fn send(&self, attempt: &Attempt) -> Option<Tried> {
        let tried = |outcome, response_status, latency: Duration| Tried {
            delivery: attempt.delivery,
            attempts: attempt.attempts,
            trial: matches!(attempt.content, Content::Trial(_)),
            outcome,
            response_status,
            latency_ms: u32::try_from(latency.as_millis()).unwrap_or(u32::MAX),
        };
        let id = attempt.event.to_string();
        let Some(body) = self.body(attempt, &id) else {
            let gone = Outcome::Failed(Failure::EventGone);
            return Some(tried(gone, None, Duration::ZERO));
        };
        let headers = self.headers(&id, &body);
        let sent = self.client.post(self.url, headers, body).await?;
        Some(tried(sent.outcome, sent.status, sent.latency))
    }

    /// The event as the feed tells it.
    fn body(&self, attempt: &Attempt, id: &str) -> Option<Vec<u8>> {
        let body = match &attempt.content {
            Content::Event(event) => serde_json::to_vec(&EventAnswer::of(event, self.currency)),
            Content::Trial(at) => serde_json::to_vec(&json!({
                "id": id,
                "uniqid": id,
                "seq": 0,
                "event": TRIAL,
                "data": {"webhook_id": self.webhook.to_string()},
                "created_at": time::text(*at),
            })),
            Content::Gone => return None,
        };
        Some(body.expect("events have string keys and write to memory"))
    }

    fn headers(&self, id: &str, body: &[u8]) -> HeaderMap {
        let at = self.app.now().timestamp();
        let signature = signature::sign(self.secrets, id, at, body);
        let text = |text: &str| HeaderValue::from_str(text).expect("ids and base64 are ASCII");
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ID, text(id));
        headers.insert(TIMESTAMP, HeaderValue::from(at));
        headers.insert(SIGNATURE, text(&signature));
        headers
    }
}

/// Looks after what the loop above does not see, for ever.
pub(crate) async fn keep_up(app: App) {
    loop {
        if let Err(error) = look_after(&app).await {
            tracing::warn!(%error, "could not look after webhooks: {error}");
        }
        sleep(UPKEEP_EVERY).await;
    }
}

async fn look_after(app: &App) -> Result<(), Error> {
    let db = &app.database;
    if courier::wake_all(db, app.now()).await? > 0 {
        app.news.hurry();
    }
    let standing = courier::standing(db, app.now()).await?;
    metrics::webhooks_waiting(standing.pending, standing.overdue);
    disabled::tell_owners(app).await?;
    while courier::sweep(db, app.now()).await? > 0 {
        // Between two bounded statements others have their turn.
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
