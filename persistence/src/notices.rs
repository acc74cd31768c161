//! What the server says beside its answers.
//!
//! A cancelled wait for the synchronous standby is reported as a warning, after which the commit looks
//! like a success. The driver gives warnings to `tracing` only, so whatever is awaited through
//! [`Notices::hear`] runs under a subscriber of its own. It needs nothing from the process's logging
//! and hears nothing of other connections. Notices that arrive while nothing is awaited are heard
//! with the next answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    instrument::WithSubscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};

/// Where the driver reports notices.
const TARGET: &str = "sqlx::postgres::notice";

/// Hears the notices of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Notices {
    heard: Arc<AtomicBool>,
    dispatch: Dispatch,
}

impl Notices {
    pub(crate) fn new() -> Self {
        let heard = Arc::new(AtomicBool::new(false));
        Self {
            dispatch: Dispatch::new(Listener {
                heard: Arc::clone(&heard),
            }),
            heard,
        }
    }

    /// Awaits what talks to the connection.
    pub(crate) fn hear<F: Future>(&self, talk: F) -> impl Future<Output = F::Output> {
        talk.with_subscriber(self.dispatch.clone())
    }

    /// Whether the server ever said something on this connection that no statement of ours asks for.
    pub(crate) fn heard(&self) -> bool {
        self.heard.load(Ordering::Acquire)
    }
}

struct Listener {
    heard: Arc<AtomicBool>,
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && *metadata.level() <= Level::INFO
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn event(&self, event: &Event<'_>) {
        if self.enabled(event.metadata()) {
            self.heard.store(true, Ordering::Release);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

    use super::*;

    #[tokio::test]
    async fn notice_is_heard_whatever_the_process_logs() {
        let _silent = tracing_subscriber::registry()
            .with(LevelFilter::OFF)
            .set_default();
        let (one, other) = (Notices::new(), Notices::new());
        one.hear(async { tracing::info!(target: TARGET, "a notice") })
            .await;
        assert!(one.heard());
        assert!(!other.heard());
        other
            .hear(async { tracing::warn!(target: TARGET, "a warning") })
            .await;
        assert!(other.heard());
    }

    #[tokio::test]
    async fn what_is_no_notice_is_not_heard() {
        let notices = Notices::new();
        notices
            .hear(async {
                tracing::error!("something else");
                tracing::debug!(target: TARGET, "a debug message");
            })
            .await;
        tracing::warn!(target: TARGET, "a notice of nobody's connection");
        assert!(!notices.heard());
    }
}
