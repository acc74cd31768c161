//! Metrics of the edge, and the recorder that renders all of them for Prometheus.
//!
//! What a request records was looked up when its route was made: recording is an index and an atomic
//! operation, and no label is built while a caller waits.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use engine::{
    clock::Timestamp,
    connections,
    metrics::{BATCH_BUCKETS, BATCH_ENTRIES, COMMIT_DURATION, DURATION_BUCKETS, STAGE},
};
use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

pub(crate) const HTTP_REQUESTS: &str = "consign_http_requests_total";
pub(crate) const HTTP_DURATION: &str = "consign_http_request_duration_seconds";
pub(crate) const HTTP_SHED: &str = "consign_http_shed_total";
pub(crate) const KEYS_EXPOSED: &str = "consign_keys_exposed_total";
pub(crate) const EMAILS: &str = "consign_emails_total";
pub(crate) const CONNECTION_CALLS: &str = "consign_connection_calls_total";
pub(crate) const CHAIN_READ_AT: &str = "consign_chain_read_at_seconds";
pub(crate) const FEED_LAG: &str = "consign_feed_lag_batches";
pub(crate) const OUTBOX_AGE: &str = "consign_outbox_age_seconds";

pub(crate) const WEBHOOKS: &str = "consign_webhook_deliveries_total";
pub(crate) const WEBHOOKS_PENDING: &str = "consign_webhook_pending";
pub(crate) const WEBHOOKS_OVERDUE: &str = "consign_webhook_overdue_seconds";

/// How often recorded values are taken in: what is recorded waits in memory until then.
pub(crate) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The rendering side of the recorder.
#[derive(Clone)]
pub struct Metrics {
    prometheus: PrometheusHandle,
    process: Arc<metrics_process::Collector>,
}

impl Metrics {
    /// Makes the process's recorder, or finds the one that was made before.
    pub fn install() -> Result<Self, BuildError> {
        static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);
        // Held to the end: of two that come at once, the second finds what the first made.
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(installed) = &*installed {
            return Ok(installed.clone());
        }
        let buckets = |builder: PrometheusBuilder, name: &str, buckets: &[f64]| {
            builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)
        };
        let mut builder = PrometheusBuilder::new();
        for name in [HTTP_DURATION, STAGE, COMMIT_DURATION] {
            builder = buckets(builder, name, &DURATION_BUCKETS)?;
        }
        builder = buckets(builder, BATCH_ENTRIES, &BATCH_BUCKETS)?;
        let prometheus = builder.install_recorder()?;
        engine::metrics::describe();
        describe_counter!(
            HTTP_REQUESTS,
            "Answered requests by surface, route and status"
        );
        describe_histogram!(HTTP_DURATION, Unit::Seconds, "Time from head to answer");
        describe_counter!(HTTP_SHED, "Requests refused before any work, by reason");
        for reason in ["in_flight", "connections", "address_connections"] {
            counter!(HTTP_SHED, "reason" => reason).increment(0);
        }
        describe_counter!(
            KEYS_EXPOSED,
            "Good keys that were sent in a URL where none belongs"
        );
        counter!(KEYS_EXPOSED).increment(0);
        describe_counter!(EMAILS, "Attempts to send a mail, by outcome");
        for outcome in ["sent", "deferred", "failed"] {
            counter!(EMAILS, "outcome" => outcome).increment(0);
        }
        describe_counter!(
            CONNECTION_CALLS,
            "Calls of resellers' shops, by kind and outcome"
        );
        for (kind, outcome) in connections::Kind::ALL
            .into_iter()
            .flat_map(|kind| connections::Outcome::ALL.map(|outcome| (kind, outcome)))
        {
            counter!(CONNECTION_CALLS, "kind" => kind.name(), "outcome" => outcome.name())
                .increment(0);
        }
        describe_gauge!(
            CHAIN_READ_AT,
            Unit::Seconds,
            "When a watched network was last read to its head, as Unix time"
        );
        describe_gauge!(FEED_LAG, "Committed batches that are not in the feeds yet");
        describe_gauge!(
            OUTBOX_AGE,
            Unit::Seconds,
            "How long the oldest fact waits that is not in the feeds yet"
        );
        describe_webhooks();
        let process = metrics_process::Collector::default();
        process.describe();
        let metrics = Self {
            prometheus,
            process: Arc::new(process),
        };
        Ok(installed.insert(metrics).clone())
    }

    /// Takes in what was recorded since the last time.
    pub fn upkeep(&self) {
        self.prometheus.run_upkeep();
    }

    /// Everything, as Prometheus reads it.
    pub(crate) fn render(&self) -> String {
        self.process.collect();
        self.prometheus.render()
    }
}

/// Which part of the address space a route is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    Reseller,
    Dev,
    Portal,
    Docs,
    Links,
    Checkout,
    Hooks,
    /// Nothing matched.
    None,
}

impl Surface {
    const fn name(self) -> &'static str {
        match self {
            Self::Reseller => "reseller",
            Self::Dev => "dev",
            Self::Portal => "portal",
            Self::Docs => "docs",
            Self::Links => "links",
            Self::Checkout => "checkout",
            Self::Hooks => "hooks",
            Self::None => "none",
        }
    }
}

/// Statuses have three digits, from 100 on.
const STATUSES: usize = 500;

/// The metrics of one route.
pub(crate) struct RouteMetrics {
    surface: Surface,
    template: &'static str,
    requests: Box<[OnceLock<Counter>]>,
    duration: Histogram,
}

impl std::fmt::Debug for RouteMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.template)
    }
}

impl RouteMetrics {
    pub(crate) fn new(surface: Surface, template: &'static str) -> Self {
        Self {
            surface,
            template,
            requests: (0..STATUSES).map(|_| OnceLock::new()).collect(),
            duration: histogram!(HTTP_DURATION, "surface" => surface.name(), "route" => template),
        }
    }

    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        let index = usize::from(status.as_u16())
            .saturating_sub(100)
            .min(STATUSES - 1);
        let requests = self.requests[index].get_or_init(|| self.counter(status));
        requests.increment(1);
        self.duration.record(took.as_secs_f64());
    }

    /// Looked up once per status that the route ever answers with.
    fn counter(&self, status: StatusCode) -> Counter {
        counter!(
            HTTP_REQUESTS,
            "surface" => self.surface.name(),
            "route" => self.template,
            "status" => status.as_str().to_owned(),
        )
    }
}

/// A request that was refused before any work.
pub(crate) fn shed(reason: &'static str) {
    counter!(HTTP_SHED, "reason" => reason).increment(1);
}

/// A good key that was sent where it does not belong.
pub(crate) fn key_exposed() {
    counter!(KEYS_EXPOSED).increment(1);
}

/// A call of a reseller's shop.
pub(crate) fn connection_call(kind: connections::Kind, outcome: connections::Outcome) {
    let labels = [("kind", kind.name()), ("outcome", outcome.name())];
    counter!(CONNECTION_CALLS, &labels).increment(1);
}

/// A network was read to its head.
#[expect(
    clippy::cast_precision_loss,
    reason = "a metric is a float, and so many seconds are not counted"
)]
pub(crate) fn chain_read(network: &str, at: Timestamp) {
    gauge!(CHAIN_READ_AT, "network" => network.to_owned()).set(at.timestamp() as f64);
}

/// An attempt to send a mail.
pub(crate) fn mail(outcome: &'static str) {
    counter!(EMAILS, "outcome" => outcome).increment(1);
}

/// An attempt to send an event to a webhook.
pub(crate) fn webhook(outcome: &'static str) {
    counter!(WEBHOOKS, "outcome" => outcome).increment(1);
}

/// What waits to be sent.
#[expect(
    clippy::cast_precision_loss,
    reason = "a metric is a float, and so many are not counted"
)]
pub(crate) fn webhooks_waiting(pending: u64, overdue: Duration) {
    gauge!(WEBHOOKS_PENDING).set(pending as f64);
    gauge!(WEBHOOKS_OVERDUE).set(overdue.as_secs_f64());
}

fn describe_webhooks() {
    describe_counter!(
        WEBHOOKS,
        "Attempts to send an event to a webhook, by outcome"
    );
    for outcome in ["delivered", "deferred", "failed"] {
        counter!(WEBHOOKS, "outcome" => outcome).increment(0);
    }
    describe_gauge!(
        WEBHOOKS_PENDING,
        "Deliveries to webhooks that are to be tried, at once or later"
    );
    describe_gauge!(
        WEBHOOKS_OVERDUE,
        Unit::Seconds,
        "How long the webhook waits whose turn came first and that nobody looks at"
    );
    webhooks_waiting(0, Duration::ZERO);
}

/// What the feeds are behind.
#[expect(
    clippy::cast_precision_loss,
    reason = "a metric is a float, and 2^53 batches are centuries"
)]
pub(crate) fn feed_lag(batches: u64, outbox_age: Duration) {
    gauge!(FEED_LAG).set(batches as f64);
    gauge!(OUTBOX_AGE).set(outbox_age.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_start_at_once_share_one_recorder() {
        let starts: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(Metrics::install))
            .collect();
        for start in starts {
            assert!(start.join().unwrap().is_ok());
        }
    }

    #[test]
    fn routes_render_with_their_template_and_histogram_buckets() {
        let metrics = Metrics::install().unwrap();
        let route = RouteMetrics::new(Surface::Reseller, "/reseller/v1/example/{id}");
        route.record(StatusCode::CREATED, Duration::from_millis(3));
        metrics.upkeep();
        let text = metrics.render();
        for line in [
            "consign_http_requests_total{surface=\"reseller\",route=\"/reseller/v1/example/{id}\",status=\"201\"} 1",
            "consign_http_request_duration_seconds_bucket{surface=\"reseller\",route=\"/reseller/v1/example/{id}\",le=\"0.005\"} 1",
            "process_cpu_seconds_total",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
