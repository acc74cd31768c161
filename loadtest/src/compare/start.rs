//! How long a start takes on a database that has grown: crash, start again, first delivery.
//!
//! Keeps: the process is killed, as the worst start is the one after a crash; Postgres stays up, so
//! only Consign's own start is timed, from the moment it is executed.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    solo,
    subject::{self, EngineSettings},
};
use crate::{
    auditor::cluster,
    cast::{Cast, Orders},
    client::Connection,
    recorder::{Class, classify},
    report::comparison::Start,
};

const DEADLINE: Duration = Duration::from_mins(2);

pub(crate) async fn measure(settings: &EngineSettings, turns: usize) -> anyhow::Result<Start> {
    let (mut engine, demo) = subject::engine(settings).await?;
    drop(engine.cluster.take());
    let (cast, hot) = (engine.wide.clone(), engine.hot.clone());
    let mut process = engine.process;
    let mut first = Vec::with_capacity(turns);
    let mut everything = Vec::with_capacity(turns);
    for turn in 0..turns {
        process.crash()?;
        let run = format!("s{}t{turn}", std::process::id());
        let started = Instant::now();
        let launched = subject::launch(settings)?;
        process = launched.process;
        first_delivery(launched.listen, &hot, &run, started).await?;
        first.push(started.elapsed().as_secs_f64());
        solo::touch_all(launched.listen, &cast, &run).await?;
        everything.push(started.elapsed().as_secs_f64());
    }
    let (serials, orders) = cluster::sizes(&demo.database_url).await?;
    process.stop()?;
    Ok(Start {
        serials,
        orders,
        first_delivery_seconds: first,
        everything_hot_seconds: everything,
    })
}

/// Asks until an order is delivered.
async fn first_delivery(
    target: SocketAddr,
    hot: &Arc<Cast>,
    run: &str,
    started: Instant,
) -> anyhow::Result<()> {
    let mut orders = Orders::new(Arc::clone(hot), run.to_owned(), 1, 1);
    let request = orders.next().to_vec();
    while started.elapsed() < DEADLINE {
        if let Ok(mut connection) = Connection::open(target).await
            && let Ok(answer) = connection.call(&request).await
            && classify(&answer, 1) != Class::Refused
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ensure!(
        started.elapsed() < DEADLINE,
        "no delivery {} s after the start",
        DEADLINE.as_secs()
    );
    Ok(())
}
