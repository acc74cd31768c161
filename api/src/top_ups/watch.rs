//! Balances as they fall: the mail that one is low, and the invoice that tops it up.
//!
//! Keeps: no order waits for this, and none costs more because of it: the dispatcher says which balances
//! changed, and only those with settings are looked at. What was missed is found by a look at all of them.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use engine::{
    clock::Timestamp,
    ids::{InvoiceId, RelationshipId},
    money::Currency,
    payments::Origin,
    top_ups::{VALID_HOURS, Wanted},
};
use persistence::{
    balances::forecast::spend,
    payments as stored,
    top_ups::{self, Low, Opening, Watched, Which},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::letters;
use crate::{
    balances::forecast::{Spent, forecast},
    error::{ApiError, Code},
    payments,
    state::App,
};

/// How often all balances with settings are looked at.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_mins(1);
/// How long changes gather, so that a burst of orders costs one look.
const GATHER: Duration = Duration::from_secs(1);
const AT_ONCE: u32 = 500;

/// Relationships whose balances changed and were not looked at yet: at most all there are.
#[derive(Default)]
pub(crate) struct Changed {
    waiting: Mutex<HashSet<RelationshipId>>,
    told: Notify,
}

impl Changed {
    pub(crate) fn add(&self, relationships: impl Iterator<Item = RelationshipId>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(relationships);
        if !waiting.is_empty() {
            self.told.notify_one();
        }
    }

    /// Some of them; those are not waiting any more.
    fn take(&self) -> Vec<RelationshipId> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<_> = waiting.iter().copied().take(AT_ONCE as usize).collect();
        for relationship in &taken {
            waiting.remove(relationship);
        }
        taken
    }
}

/// Looks at balances for ever.
pub(crate) async fn watch_balances(app: App) {
    loop {
        if let Err(error) = look_at_all(&app, app.now()).await {
            tracing::warn!(%error, "could not look at balances: {error}");
        }
        let changes = async {
            loop {
                app.changed.told.notified().await;
                sleep(GATHER).await;
                look_at_changed(&app).await;
            }
        };
        let _over = timeout(LOOK_AT_ALL_EVERY, changes).await;
    }
}

async fn look_at_changed(app: &App) {
    loop {
        let changed = app.changed.take();
        if changed.is_empty() {
            return;
        }
        let looked = async {
            for one in top_ups::watched(&app.database, Which::Of(changed), AT_ONCE).await? {
                look_at(app, one, app.now()).await;
            }
            Ok::<_, persistence::Error>(())
        };
        if let Err(error) = looked.await {
            tracing::warn!(%error, "could not look at balances that changed: {error}");
            return;
        }
    }
}

/// Looks at every balance that somebody set something about.
pub async fn look_at_all(app: &App, now: Timestamp) -> Result<(), persistence::Error> {
    let mut last = None;
    loop {
        let page = top_ups::watched(&app.database, Which::After(last), AT_ONCE).await?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last = Some(end.scope.relationship);
        for one in page {
            look_at(app, one, now).await;
        }
    }
}

async fn look_at(app: &App, watched: Watched, now: Timestamp) {
    let relationship = watched.scope.relationship;
    let looked = async {
        tell_low(app, &watched, now).await?;
        top_up(app, &watched, now).await
    };
    if let Err(error) = looked.await {
        let code = error.code().name();
        tracing::warn!(relationship.id = %relationship, code, "could not look at a balance: {code}");
    }
}

async fn currency(app: &App, watched: &Watched) -> Result<Currency, ApiError> {
    let merchant = app.engine.merchant(watched.scope.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
    Ok(merchant.currency)
}

/// Tells that a balance is low, once until it is so no more.
async fn tell_low(app: &App, watched: &Watched, now: Timestamp) -> Result<(), ApiError> {
    let (scope, left) = (watched.scope, watched.balance);
    let hours_left = if watched.alert.hours.is_some() {
        let spend = spend(&app.database, scope, now).await?;
        let spent = Spent {
            in_24h: spend.last_24h,
            in_7d: spend.last_7d,
        };
        forecast(left, spent, now).map(|forecast| forecast.hours_left)
    } else {
        None
    };
    let is_low = watched.alert.is_low(left, hours_left);
    if is_low == watched.told {
        return Ok(());
    }
    let low = if is_low {
        let of = (scope.merchant, scope.relationship);
        let payer = top_ups::payer(&app.database, of).await?;
        let currency = currency(app, watched).await?;
        let post = payer.map(|payer| letters::low(app, &payer, (currency, left), hours_left));
        Some(Low { hours_left, post })
    } else {
        None
    };
    let (db, vault) = (&app.database, app.engine.vault());
    if top_ups::note_low(db, vault, watched, low, now).await? {
        app.mail_queued.notify_one();
    }
    Ok(())
}

/// Opens an invoice for a balance that is below its threshold, if one is due. A provider is asked for one only then.
async fn top_up(app: &App, watched: &Watched, now: Timestamp) -> Result<(), ApiError> {
    let Some(set) = &watched.automatic else {
        return Ok(());
    };
    if !top_ups::may_open_automatic(&app.database, watched.scope, set, now).await? {
        return Ok(());
    }
    let (merchant, relationship) = (watched.scope.merchant, watched.scope.relationship);
    let offered = stored::list(&app.database, merchant, true).await?;
    let Some(method) = offered.into_iter().find(|method| method.coin == set.coin) else {
        return Ok(());
    };
    let currency = currency(app, watched).await?;
    let wanted = Wanted {
        id: InvoiceId::generate(now, &**app.engine.random()),
        merchant,
        relationship,
        origin: Origin::Auto,
        amount: set.amount,
        coin: method.coin.clone(),
        provider: method.provider(),
        pay: payments::open(app, &method, (currency, set.amount, VALID_HOURS * 60)).await?,
    };
    let payer = top_ups::payer(&app.database, (merchant, relationship)).await?;
    let announce = payer.map(|payer| letters::opened(app, payer, currency));
    let (db, vault) = (&app.database, app.engine.vault());
    let opening = Opening {
        wanted,
        method,
        request: None,
        announce,
    };
    if top_ups::open_automatic(db, vault, opening, now)
        .await?
        .is_some()
    {
        app.mail_queued.notify_one();
    }
    Ok(())
}
