//! Who plays on a development server: the demo cast, and a load cast on request.
//!
//! Keeps: casts are stored before the engine starts, so it numbers their imports like everybody's;
//! their balances are funded through it, once. A load cast keeps the size it was first stored with.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use engine::{
    audit::Actor,
    balances::{Credit, EntryKind},
    clock::{Clock as _, SystemClock},
    engine::Engine,
    ids::InvoiceId,
    money::Currency,
    payments::{Origin, Pay},
    programs::top_up_defaults,
    random::SystemRandom,
    top_ups::Wanted,
    vault::Vault,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use persistence::{
    Database,
    demo::{self, Cast, Funding, Load, Seeded},
    payments,
    top_ups::{self, Opening},
};

use super::{people::People, root_key::Secret, settings::Settings};

/// Remembers how large the load cast is.
const LOAD_FILE: &str = "load-cast.json";
const CREDITS_AT_ONCE: usize = 64;

/// The casts of a server.
pub(super) struct Casts {
    pub(super) demo: Arc<Cast>,
    pub(super) load: Option<Arc<Cast>>,
    /// Who can sign in, of the demo cast.
    pub(super) people: People,
}

impl Casts {
    /// Stores the casts that are asked for, unless they are there already.
    pub(super) async fn seed(
        database: &Database,
        vault: &Vault,
        secret: &Secret,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let demo = Arc::new(demo::demo(&secret.derived("demo cast")));
        let now = SystemClock.now();
        let seeding = "storing the demo cast";
        let seeded = demo::seed(database, vault, Arc::clone(&demo), now).await;
        if seeded.context(seeding)? == Seeded::Now {
            open_top_up(database, vault, &demo).await?;
        }
        let people = People::seed(database, &demo, secret)
            .await
            .context("storing the demo people")?;
        let load = match load(settings)? {
            None => None,
            Some(load) => {
                let cast = Arc::new(demo::load(load, &secret.derived("load cast")));
                let seeding = "storing the load cast";
                demo::seed(database, vault, Arc::clone(&cast), now)
                    .await
                    .context(seeding)?;
                remember(&settings.state_dir, load)?;
                Some(cast)
            }
        };
        Ok(Self { demo, load, people })
    }

    /// Credits every balance that has no entry yet.
    pub(super) async fn fund(&self, database: &Database, engine: &Engine) -> anyhow::Result<()> {
        for cast in [Some(&self.demo), self.load.as_ref()].into_iter().flatten() {
            let fundings = demo::fundings(database, cast)
                .await
                .context("looking at the balances")?;
            stream::iter(fundings)
                .map(|funding| credit(engine.clone(), funding))
                .buffer_unordered(CREDITS_AT_ONCE)
                .try_collect::<Vec<()>>()
                .await?;
        }
        Ok(())
    }
}

/// One invoice that waits for money, of the reseller who has least.
async fn open_top_up(database: &Database, vault: &Vault, demo: &Cast) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let poorest = demo.resellers.iter().min_by_key(|one| one.credit);
    let poorest = poorest.context("the demo has resellers")?;
    let offered = payments::list(database, demo.merchant, true).await?;
    let method = offered.into_iter().next();
    let method = method.context("the demo has a payment method")?;
    let wanted = Wanted {
        id: InvoiceId::generate(now, &SystemRandom),
        merchant: demo.merchant,
        relationship: poorest.id,
        origin: Origin::Merchant,
        amount: top_up_defaults(Currency::USD).0,
        coin: method.coin.clone(),
        provider: method.provider(),
        pay: Pay {
            instructions: Some(method.instructions.clone()),
            ..Pay::default()
        },
    };
    let opening = Opening {
        wanted,
        method,
        request: None,
        announce: None,
    };
    let opened = top_ups::open(database, vault, opening, Actor::job("demo"), now).await;
    opened.context("opening a top-up of the demo").map(drop)
}

async fn credit(engine: Engine, funding: Funding) -> anyhow::Result<()> {
    let credit = Credit {
        balance: funding.scope.balance,
        kind: EntryKind::Credit,
        reference: funding.reference.to_owned(),
        amount: funding.amount,
        description: "Opening balance".to_owned(),
        label: "PROMO".to_owned(),
        by: None,
    };
    engine
        .credit(funding.scope, credit)
        .await
        .context("funding a balance")?;
    Ok(())
}

/// The load cast that is asked for, in the size in which it was stored before.
fn load(settings: &Settings) -> anyhow::Result<Option<Load>> {
    let Some(asked) = settings.load() else {
        return Ok(None);
    };
    let path = settings.state_dir.join(LOAD_FILE);
    let Ok(text) = std::fs::read(&path) else {
        return Ok(Some(asked));
    };
    let [products, resellers, access, serials, hot_serials]: [u32; 5] =
        serde_json::from_slice(&text).with_context(|| format!("reading `{}`", path.display()))?;
    let stored = Load {
        products,
        resellers,
        access,
        serials,
        hot_serials,
    };
    if stored != asked {
        tracing::warn!(
            "the load cast keeps the size it was stored with ({stored:?}); use another state \
             directory for another one"
        );
    }
    Ok(Some(stored))
}

fn remember(state_dir: &Path, load: Load) -> anyhow::Result<()> {
    let path = state_dir.join(LOAD_FILE);
    let sizes = [
        load.products,
        load.resellers,
        load.access,
        load.serials,
        load.hot_serials,
    ];
    let text = serde_json::to_vec(&sizes).context("numbers have a JSON form")?;
    let draft = path.with_extension("json.draft");
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, &path))
        .with_context(|| format!("writing `{}`", path.display()))
}
