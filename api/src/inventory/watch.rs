//! Shelves as they run low, run out and are filled again.
//!
//! Keeps: no order waits for this, and none costs more because of it: the dispatcher says whose shelves
//! changed, and those are looked at behind it. A look rests three hundred times as long as it worked, at most
//! a minute. What was missed is found by a look at all of them, which a process begins with.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use engine::{clock, ids::MerchantId};
use persistence::inventory::levels;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::state::App;

/// How often the shelves of all merchants are looked at.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_mins(10);
/// How long changes gather at least, and at most.
const GATHER: Duration = Duration::from_secs(1);
const GATHER_MAX: Duration = Duration::from_mins(1);
/// How many times as long as it works it rests.
const RESTS: u32 = 300;
/// Products that are looked at in one statement, and merchants that are named in one.
const AT_ONCE: u32 = 50;

/// Merchants whose shelves changed and were not looked at yet: at most all there are.
#[derive(Default)]
pub(crate) struct ChangedShelves {
    waiting: Mutex<HashSet<MerchantId>>,
    told: Notify,
}

impl ChangedShelves {
    pub(crate) fn add(&self, merchants: impl IntoIterator<Item = MerchantId>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(merchants);
        if !waiting.is_empty() {
            self.told.notify_one();
        }
    }

    fn take(&self) -> HashSet<MerchantId> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting)
    }
}

/// Looks at shelves for ever.
pub(crate) async fn watch_shelves(app: App) {
    loop {
        if let Err(error) = look_at_all(&app).await {
            tracing::warn!(%error, "could not look at shelves: {error}");
        }
        let changes = async {
            let mut rest = GATHER;
            loop {
                app.shelves.told.notified().await;
                sleep(rest).await;
                let began = clock::instant();
                for merchant in app.shelves.take() {
                    look_at_once_more(&app, merchant).await;
                }
                rest = ((clock::instant() - began) * RESTS).clamp(GATHER, GATHER_MAX);
            }
        };
        let _over = timeout(LOOK_AT_ALL_EVERY, changes).await;
    }
}

/// Looks at the shelves of a merchant; what cannot be looked at now is looked at later.
async fn look_at_once_more(app: &App, merchant: MerchantId) {
    if let Err(error) = look_at(app, merchant).await {
        tracing::warn!(%error, "could not look at shelves that changed: {error}");
        app.shelves.add([merchant]);
    }
}

async fn look_at_all(app: &App) -> Result<(), persistence::Error> {
    let mut last = None;
    loop {
        let merchants = levels::merchants(&app.database, last, AT_ONCE).await?;
        let Some(end) = merchants.last() else {
            return Ok(());
        };
        last = Some(*end);
        for merchant in merchants {
            look_at_once_more(app, merchant).await;
        }
    }
}

async fn look_at(app: &App, merchant: MerchantId) -> Result<(), persistence::Error> {
    let mut after = None;
    loop {
        let look = levels::look(&app.database, merchant, after, AT_ONCE).await?;
        for sku in look.moved {
            if let Some(crossing) = levels::note(&app.database, merchant, sku, app.now()).await? {
                tracing::debug!(shelf = %sku, change = crossing.name(), "told how a shelf stands");
            }
        }
        after = look.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
