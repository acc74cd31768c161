//! What every handler may use.

use std::{net::IpAddr, ops::Deref, sync::Arc};

use axum::extract::FromRef;
use engine::{
    clock::Timestamp,
    engine::Engine,
    fault::Fault,
    ids::{BalanceId, KeyId, RelationshipId},
};
use futures_util::FutureExt as _;
use persistence::{
    Database,
    api_keys::{self, KeyUse},
    sessions,
};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use crate::{
    auth::{
        key_cache::{CachedKey, KeyCache},
        passwords::Passwords,
        screen::Screen,
        session_limits::SessionLimits,
    },
    error::{ApiError, Code},
    events::Waiters,
    fulfillments::Rounds,
    inventory::watch::ChangedShelves,
    layers::{rate_limit::Failures, tries::Tries},
    payments::{Chains, Shops},
    persons::in_time::Exporting,
    stock_requests::Turns,
    top_ups::watch::Changed,
    webhooks::{News, Settings, target::Rules},
};

/// Uses of keys that wait to be recorded; one more is not worth waiting for.
const USES_WAITING_MAX: usize = 1024;

/// Serials that one person reads one by one in a quarter of an hour: each is a row of the audit log.
const READINGS_MAX: u64 = 120;
const READINGS_SECONDS: i64 = 15 * 60;
/// Mails to one address, and from one network, about invoices that anybody may open for anybody: in six hours.
const UNASKED_MAX: u64 = 6;
const UNASKED_FROM_MAX: u64 = 30;
const UNASKED_SECONDS: i64 = 6 * 60 * 60;
/// Calls of public pages by one address: twenty a second, sixty at once.
const PAGES_MAX: u64 = 60;
const PAGES_SECONDS: i64 = 3;
/// How often it is told that a key was sent in an address: once a day.
const EXPOSURES_SECONDS: i64 = 24 * 60 * 60;
/// Notices of payment servers from one address, and about one merchant: ten a second.
const NOTICES_MAX: u64 = 100;
const NOTICES_SECONDS: i64 = 10;
/// Calls of hooks by one address: many shops may call from the servers of one platform.
const HOOKS_MAX: u64 = 600;
const HOOKS_SECONDS: i64 = 10;
/// Calls that one connection delivers for: ten a second, forty at once.
const CALLBACKS_MAX: u64 = 40;
const CALLBACKS_SECONDS: i64 = 4;
/// How often a connection's owner is told that a call had no good signature.
const FORGERIES_SECONDS: i64 = 60;
/// Exports at once.
const EXPORTS_MAX: usize = 2;
/// Visits of one address that may begin in a quarter of an hour, and its yeses to any.
const CHECKOUTS_MAX: u64 = 60;
const CHECKOUTS_SECONDS: i64 = 15 * 60;
/// Fewer than the connections that such work has.
const COUNTING_MAX: usize = 2;

/// One process's parts; cloning shares them.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts.
pub struct Parts {
    pub engine: Engine,
    pub database: Database,
    /// The address under which callers know us, without a slash at the end.
    pub origin: String,
    pub(crate) keys: KeyCache,
    pub(crate) failures: Failures,
    /// Keys and sessions that are claimed from where too many failed.
    pub(crate) claimed_keys: Screen<KeyId>,
    pub(crate) claimed_sessions: Screen<[u8; 32]>,
    /// Told when a mail was committed to the outbox.
    pub(crate) mail_queued: Notify,
    /// Balances that changed and are to be looked at.
    pub(crate) changed: Changed,
    /// Merchants whose shelves changed and are to be looked at.
    pub(crate) shelves: ChangedShelves,
    /// Who carries a wholesale purchase, or what a customer bought, out.
    pub(crate) turns: Turns,
    /// Readers that wait for events.
    pub(crate) waiters: Waiters,
    /// What owners had sent to a webhook to see whether it arrives.
    pub(crate) trials: Tries,
    /// Keys of which it was told that they were sent in an address.
    pub(crate) exposures: Tries,
    /// Feeds with something new, for whoever sends it.
    pub(crate) news: News,
    /// Where events may be sent.
    pub(crate) webhook_rules: Rules,
    /// Networks on which payments are watched.
    pub(crate) chains: Chains,
    /// What asks payment servers.
    pub(crate) shops: Shops,
    /// Told when such a server said that there is something to ask for.
    pub(crate) noticed: Notify,
    pub(crate) passwords: Passwords,
    pub(crate) sessions: SessionLimits,
    /// Tries to sign in, and requests for a new password, by e-mail address.
    pub(crate) sign_ins: Tries,
    pub(crate) resets: Tries,
    /// Mails that merchants had sent to an address.
    pub(crate) invitations: Tries,
    /// Serials that a person reads one by one.
    pub(crate) readings: Tries,
    /// Mails about invoices that nobody has paid, by e-mail address and by network.
    pub(crate) unasked: [Tries; 2],
    /// Visits of a link that are counted, by address.
    pub(crate) visits: Tries,
    /// Calls of public pages, by address.
    pub(crate) pages: Tries,
    /// Notices of payment servers, by address and by merchant.
    pub(crate) notices: Tries,
    /// Calls of hooks, by address.
    pub(crate) hooks: Tries,
    /// Calls that a shop signed, by connection.
    pub(crate) callbacks: Tries,
    /// Calls without a good signature that are noted, by connection.
    pub(crate) forgeries: Tries,
    /// Visits that begin at a checkout, by address.
    pub(crate) checkouts: Tries,
    /// Customers' yeses to visits, by address.
    pub(crate) yeses: Tries,
    /// Visits that are counted at this moment; one more is dropped.
    pub(crate) counting: Semaphore,
    /// Exports that may be under way; each keeps one moment of the database.
    pub(crate) exports: Arc<Semaphore>,
    /// Of which relationships.
    pub(crate) exporting: Exporting,
    /// Orders are stored by their customers for whoever asks for one.
    pub(crate) customers: Rounds<ApiError>,
    /// Work whose caller was answered already.
    pub(crate) behind: TaskTracker,
    uses: mpsc::Sender<KeyUse>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// The parts, and the uses of keys that somebody has to record.
    pub fn new(
        engine: Engine,
        database: Database,
        origin: String,
        (webhooks, chains, shops): (Settings, Chains, Shops),
    ) -> (Self, mpsc::Receiver<KeyUse>) {
        let (uses, recorded) = mpsc::channel(USES_WAITING_MAX);
        let parts = Parts {
            engine,
            database,
            origin,
            keys: KeyCache::default(),
            failures: Failures::new(),
            claimed_keys: Screen::default(),
            claimed_sessions: Screen::default(),
            mail_queued: Notify::new(),
            changed: Changed::default(),
            shelves: ChangedShelves::default(),
            turns: Turns::default(),
            waiters: Waiters::default(),
            trials: Tries::new(),
            exposures: Tries::of(1, EXPOSURES_SECONDS),
            news: News::default(),
            webhook_rules: Rules {
                local: webhooks.allow_local,
            },
            chains,
            shops,
            noticed: Notify::new(),
            passwords: Passwords::new(),
            sessions: SessionLimits::default(),
            sign_ins: Tries::new(),
            resets: Tries::new(),
            invitations: Tries::new(),
            readings: Tries::of(READINGS_MAX, READINGS_SECONDS),
            unasked: [UNASKED_MAX, UNASKED_FROM_MAX].map(|max| Tries::of(max, UNASKED_SECONDS)),
            visits: Tries::new(),
            pages: Tries::of(PAGES_MAX, PAGES_SECONDS),
            notices: Tries::of(NOTICES_MAX, NOTICES_SECONDS),
            hooks: Tries::of(HOOKS_MAX, HOOKS_SECONDS),
            callbacks: Tries::of(CALLBACKS_MAX, CALLBACKS_SECONDS),
            forgeries: Tries::of(1, FORGERIES_SECONDS),
            checkouts: Tries::of(CHECKOUTS_MAX, CHECKOUTS_SECONDS),
            yeses: Tries::of(CHECKOUTS_MAX, CHECKOUTS_SECONDS),
            counting: Semaphore::new(COUNTING_MAX),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            exporting: Exporting::default(),
            customers: Rounds::default(),
            behind: TaskTracker::new(),
            uses,
        };
        (Self(Arc::new(parts)), recorded)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.clock().now()
    }

    /// Whether callers reach this server by TLS only.
    pub(crate) fn tls(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Notes that a key was used, at most once a minute and without waiting.
    pub(crate) fn used(&self, key: &CachedKey, from: IpAddr) {
        let at = self.now();
        if key.claim_recording(at) {
            let _dropped_if_many_wait = self.uses.try_send(KeyUse {
                key: key.key.id,
                from,
                at,
            });
        }
    }

    /// The stored key with its merchant, if there is one.
    pub(crate) async fn load_key(&self, id: KeyId) -> Result<Option<CachedKey>, ApiError> {
        let Some(key) = api_keys::find(&self.database, id).await? else {
            return Ok(None);
        };
        let merchant = self.engine.merchant(key.merchant).await?;
        let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
        Ok(Some(CachedKey::new(key, merchant, self.now())))
    }

    /// Whether there is such a key, to be asked for callers who failed too often.
    pub(crate) async fn knows_key(&self, id: KeyId) -> Result<bool, ApiError> {
        let look_up = |ids: Vec<KeyId>| {
            let database = self.database.clone();
            async move { api_keys::existing(&database, &ids).await }.boxed()
        };
        self.claimed_keys.knows(id, look_up).await
    }

    /// The same for sessions.
    pub(crate) async fn knows_session(&self, digest: [u8; 32]) -> Result<bool, ApiError> {
        let look_up = |digests: Vec<[u8; 32]>| {
            let database = self.database.clone();
            async move { sessions::existing(&database, &digests).await }.boxed()
        };
        self.claimed_sessions.knows(digest, look_up).await
    }

    /// Takes stored terms of a relationship into force: to be called before a change of them is
    /// answered.
    pub(crate) async fn take_over(
        &self,
        relationship: RelationshipId,
        balances: &[BalanceId],
    ) -> Result<(), ApiError> {
        let told = self.engine.terms_changed(relationship, balances).await;
        told.map_err(|fault| not_yet(&fault))
    }

    /// Forgets a key that was revoked or changed, so that the next call looks it up.
    pub(crate) fn forget_key(&self, id: KeyId) {
        self.keys.forget(id);
    }
}

/// What is said of a stored change that the engine is not known to have taken over.
pub(crate) fn not_yet(fault: &Fault) -> ApiError {
    tracing::warn!("a stored change is not in force yet: {fault}");
    ApiError::saying(
        Code::OutcomeUnknown,
        "The change is stored, but may not be in force yet. Repeat the same request.",
    )
}

impl FromRef<App> for Engine {
    fn from_ref(app: &App) -> Self {
        app.engine.clone()
    }
}

impl FromRef<App> for Database {
    fn from_ref(app: &App) -> Self {
        app.database.clone()
    }
}
