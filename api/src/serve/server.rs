//! A process that answers: its listeners, its background loops, and how it ends.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use engine::{engine::Engine, random::SystemRandom, supervise};
use persistence::Database;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{Mutex, Notify, watch},
};
use tokio_util::task::TaskTracker;

use super::{Halted, Installation, listener};
use crate::{
    config::Config,
    erasure,
    events::dispatcher,
    fulfillments::customers,
    inventory::watch::watch_shelves,
    jobs,
    layers::edge::{Edge, Settings},
    mail,
    metrics::Metrics,
    payments::{Chains, Shops, ask_shops, watch_chains},
    routes::{self, ops::Ops},
    state::App,
    top_ups::watch::watch_balances,
    webhooks::{self, client::Client, courier, target::Rules},
};

/// A server that answers.
pub struct Server {
    app: App,
    http: SocketAddr,
    ops: SocketAddr,
    close_wait: Duration,
    /// Connections and background loops.
    tasks: TaskTracker,
    closing: watch::Sender<bool>,
    broken: Arc<Notify>,
}

/// Why a server stops to serve.
enum Ending {
    /// By its operator.
    Asked,
    /// Its shard has another owner, or nobody may own it.
    Lost,
    /// Its listener is gone.
    Broken,
}

/// A process that starts: operators can look at it, nobody else is answered.
pub struct Starting {
    ops: Ops,
    ops_address: SocketAddr,
    tasks: TaskTracker,
    closing: watch::Sender<bool>,
    /// Told when something panicked that cannot begin anew.
    broken: Arc<Notify>,
}

impl Starting {
    /// Installs the metrics and answers operators. To be called before the engine is started, whose
    /// metrics are otherwise lost.
    pub async fn new(config: &Config) -> anyhow::Result<Self> {
        let metrics = Metrics::install().context("installing the metrics")?;
        let (tasks, (closing, closed)) = (TaskTracker::new(), watch::channel(false));
        let ops = Ops::new(metrics.clone());
        let listener = bind(config.ops.listen).await?;
        let ops_address = listener.local_addr()?;
        let starting = Self {
            ops: ops.clone(),
            ops_address,
            tasks,
            closing,
            broken: Arc::default(),
        };
        starting.needed("ops", listener::serve_ops(listener, ops, closed));
        starting.works("metrics", &metrics, jobs::metrics_upkeep);
        Ok(starting)
    }

    /// Answers shops and merchants from this engine.
    pub async fn serve(
        self,
        config: &Config,
        engine: Engine,
        database: Database,
    ) -> anyhow::Result<Server> {
        let http = bind(config.http.listen).await?;
        let http_address = http.local_addr()?;
        let config = &reached_at(config, http_address);
        let origin = config.http.origin.clone();
        let outside = outside(config)?;
        let (app, uses) = App::new(engine.clone(), database, origin, outside);
        let carrier = mail::Carrier::open(&config.mail)?;
        let edge = Edge::new(
            routes::public(app.clone()),
            edge_settings(config),
            &SystemRandom,
        );
        let (limits, closed) = (listener::Limits::of(&config.http), self.closing.subscribe());
        self.needed(
            "http",
            listener::serve(http, Arc::new(edge), limits, closed),
        );
        match carrier {
            None => tracing::warn!("no mail server and no directory for mails: they wait"),
            Some(carrier) => {
                let carrier = Arc::new(carrier);
                self.works("mail", &app, move |app| {
                    mail::send_queued(app, Arc::clone(&carrier))
                });
            }
        }
        self.sends_events(&app);
        self.works("feeds", &app, dispatcher::dispatch);
        self.works("feed_sweep", &app, dispatcher::sweep_old);
        self.works("keys", &app, jobs::key_sweep);
        self.works("purchases", &app, jobs::sum_up_purchases);
        self.works("deeds", &app, jobs::tell_deeds);
        self.works("customers", &app, customers::store_behind);
        let kept = config.customers;
        self.works("erasure", &app, move |app| erasure::erase_old(app, kept));
        self.works("restock", &app, jobs::restock_waiting);
        self.works("refunds", &app, jobs::complete_refunds);
        self.works("replacements", &app, jobs::carry_replacements);
        self.works("stock_requests", &app, jobs::carry_stock_requests);
        self.works("stock_settlement", &app, jobs::settle_stock_requests);
        self.works("stock_allocation", &app, jobs::allocate_stock_requests);
        self.takes_payments(&app);
        self.works("top_ups", &app, jobs::expire_top_ups);
        self.works("debts", &app, jobs::take_owed);
        self.works("checkouts", &app, jobs::expire_checkouts);
        self.works("invoices", &app, jobs::carry_invoices);
        self.works("commissions", &app, jobs::release_commissions);
        self.works("listings", &app, jobs::review_listings);
        self.works("balances", &app, watch_balances);
        self.works("shelves", &app, watch_shelves);
        self.works("invitations", &app, jobs::expire_invitations);
        self.works("key_expiry", &app, jobs::announce_key_expiry);
        self.works("news", &app, jobs::mail_news);
        let uses = Arc::new(Mutex::new(uses));
        self.works("uses", &app, move |app| {
            jobs::record_key_uses(app, Arc::clone(&uses))
        });
        self.ops.started(engine);
        tracing::info!(http = %http_address, ops = %self.ops_address, "serving");
        Ok(Server {
            app,
            http: http_address,
            ops: self.ops_address,
            close_wait: Duration::from_millis(config.http.close_wait_ms),
            tasks: self.tasks,
            closing: self.closing,
            broken: self.broken,
        })
    }

    /// Money that arrives is seen, stored and credited.
    fn takes_payments(&self, app: &App) {
        self.works("payments", app, jobs::complete_top_ups);
        self.works("chains", app, watch_chains);
        self.works("shops", app, ask_shops);
    }

    /// Without certificates to trust, events wait in their feeds and everything else goes on.
    fn sends_events(&self, app: &App) {
        match Client::new(app.webhook_rules) {
            Err(error) => tracing::error!("no events are sent to webhooks: {error:#}"),
            Ok(client) => self.works("webhooks", app, move |app| {
                courier::deliver(app, client.clone())
            }),
        }
        self.works("webhook_upkeep", app, courier::keep_up);
    }

    /// Work on `what` that runs until the server closes; it begins anew if it panics.
    fn works<What, Work>(
        &self,
        task: &'static str,
        what: &What,
        mut work: impl FnMut(What) -> Work + Send + 'static,
    ) where
        What: Clone + Send + 'static,
        Work: Future<Output = ()> + Send + 'static,
    {
        let (what, closed) = (what.clone(), self.closing.subscribe());
        let begin = move || work(what.clone());
        self.tasks
            .spawn(until(closed, supervise::restarted(task, begin)));
    }

    /// Work without which the process is no use.
    fn needed(&self, task: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let broken = Arc::clone(&self.broken);
        self.tasks.spawn(async move {
            if supervise::noticed(task, work).await.is_err() {
                broken.notify_one();
            }
        });
    }
}

impl Server {
    /// Starts everything; once it returns, requests are answered.
    pub async fn start(
        config: &Config,
        installation: Installation,
        runtime: &Arc<Runtime>,
    ) -> anyhow::Result<Self> {
        let starting = Starting::new(config).await?;
        let engine = installation.start_engine(config, runtime).await?;
        installation.verify(&engine);
        starting.serve(config, engine, installation.database).await
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where shops and merchants are answered.
    pub fn address(&self) -> SocketAddr {
        self.http
    }

    /// Where operators are answered.
    pub fn ops_address(&self) -> SocketAddr {
        self.ops
    }

    /// Serves until `stop`, or until another process has taken the lanes; then drains.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let engine = self.app.engine.clone();
        let ending = tokio::select! {
            () = stop => Ending::Asked,
            () = engine.lost() => Ending::Lost,
            () = self.broken.notified() => Ending::Broken,
        };
        self.drain().await;
        match ending {
            Ending::Asked => Ok(()),
            // Known by the end of the drain at the latest.
            Ending::Lost if engine.is_halted() => Err(Halted(
                "acknowledged batches are gone, or somebody writes beside this process".to_owned(),
            )
            .into()),
            Ending::Lost => bail!("another process has taken over"),
            Ending::Broken => bail!("nothing is accepted any more, after a panic"),
        }
    }

    /// Admission closes, what runs ends, the lanes are given up, then the listeners close.
    pub async fn drain(self) {
        tracing::info!("draining");
        self.app.waiters.close();
        self.app.engine.drain().await;
        self.closing.send_replace(true);
        self.app.exporting.close();
        self.app.behind.close();
        self.app.behind.wait().await;
        self.tasks.close();
        if tokio::time::timeout(self.close_wait, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("closed connections with requests under way");
        }
        self.app.engine.stop();
        self.app.database.close().await;
        tracing::info!("ended");
    }
}

fn edge_settings(config: &Config) -> Settings {
    Settings {
        origin: config.http.origin.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        in_flight_max: config.http.in_flight_max,
    }
}

/// With the port that the system gave, where the origin is the address that was asked for.
fn reached_at(config: &Config, listening: SocketAddr) -> Config {
    let mut config = config.clone();
    if config.http.origin == format!("http://{}", config.http.listen) {
        config.http.origin = format!("http://{listening}");
    }
    config
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}"))
}

/// Runs a loop until the server closes.
async fn until(mut closed: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        _ = closed.wait_for(|closed| *closed) => {}
        () = work => {}
    }
}

/// What reaches others: rules for addresses, networks, payment servers.
fn outside(config: &Config) -> anyhow::Result<(webhooks::Settings, Chains, Shops)> {
    let rules = Rules {
        local: config.webhooks.allow_local,
    };
    let chains = Chains::new(&config.chains)?;
    Ok((config.webhooks, chains, Shops::new(rules)))
}
