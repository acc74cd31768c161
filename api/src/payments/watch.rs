//! Looks at the networks that are watched, for ever: what arrived is stored and credited, what is gone again
//! is forgotten.
//!
//! Keeps: everything that can still change is read anew each time, so a block that another one replaced leaves
//! nothing behind; the cursor advances when all that was found is stored, so whatever ends this skips nothing.

use std::{collections::HashSet, sync::Arc};

use chrono::TimeDelta;
use engine::{audit::Actor, chains::CONFIRMATIONS_MAX, clock::Timestamp, payments::Provider as _};
use futures_util::future::{join_all, pending};
use persistence::{
    owned,
    payments::{self, Watched},
    top_ups,
};
use tokio::time::sleep;

use super::{
    chains::Chain,
    erc20::{Erc20, Reading},
    take_in,
};
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// Who the audit log says it was.
const JOB: &str = "watch of a chain";
/// How long the address of an invoice is looked at that has ended.
const LATE_DAYS: i64 = 30;
/// Blocks of one look; whoever is further behind takes several.
const BLOCKS_AT_ONCE: u64 = 10_000;

/// See the module.
pub(crate) async fn watch_chains(app: App) {
    let chains: Vec<_> = app.chains.all().cloned().collect();
    if chains.is_empty() {
        return pending().await;
    }
    join_all(chains.into_iter().map(|chain| watch(app.clone(), chain))).await;
}

async fn watch(app: App, chain: Arc<Chain>) {
    let network = chain.network.clone();
    loop {
        // One task for each look: what is stored is credited, whether or not the process is asked to end.
        let looked = owned(look(app.clone(), Arc::clone(&chain), app.now())).await;
        match looked {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                let code = error.code().name();
                tracing::warn!(network, code, "could not look at `{network}`: {code}");
            }
        }
        sleep(chain.poll).await;
    }
}

/// Takes in what there is; true if there is more already.
async fn look(app: App, chain: Arc<Chain>, now: Timestamp) -> Result<bool, ApiError> {
    let (db, network) = (&app.database, &chain.network);
    let Some(cursor) = payments::cursor(db, network).await? else {
        return Ok(false);
    };
    let head = chain.node.head().await?;
    let (from, mut to) = (cursor + 1, head.min(cursor + BLOCKS_AT_ONCE));
    let late = now - TimeDelta::days(LATE_DAYS);
    let watched = payments::watched(db, network, late).await?;
    let addresses: Vec<_> = watched.iter().map(|one| one.deposit.address).collect();
    let tokens: HashSet<_> = watched
        .iter()
        .map(|one| one.deposit.token.contract)
        .collect();
    let tokens: Vec<_> = tokens.into_iter().collect();
    let found = loop {
        match chain.node.transfers((from, to), &tokens, &addresses).await {
            Ok(found) => break found,
            // Nodes refuse answers that are too long: fewer blocks have less to tell.
            Err(_) if to > from => to = from + (to - from) / 2,
            Err(unavailable) => return Err(unavailable.into()),
        }
    };
    let paid: HashSet<_> = found.iter().map(|transfer| transfer.to).collect();
    let asked = |one: &Watched| paid.contains(&one.deposit.address) || one.confirming && to == head;
    let mut all_read = true;
    for one in watched.into_iter().filter(asked) {
        // What one invoice cannot be asked keeps no other from being paid.
        if let Err(error) = read(&app, (&chain, from), one, now).await {
            let code = error.code().name();
            tracing::warn!(
                network,
                code,
                "could not read what arrived for an invoice: {code}"
            );
            all_read = false;
        }
    }
    let last = to.min(head.saturating_sub(CONFIRMATIONS_MAX.into()));
    if last > cursor && all_read {
        payments::advance_cursor(db, network, (cursor, last), now).await?;
    }
    Ok(to < head)
}

/// Asks what arrived for one invoice, and stores and credits what is new.
async fn read(
    app: &App,
    (chain, from): (&Arc<Chain>, u64),
    watched: Watched,
    now: Timestamp,
) -> Result<(), ApiError> {
    let (of, id) = (watched.merchant, watched.invoice);
    let merchant = app.engine.merchant(of).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let found = top_ups::find_of(&app.database, of, id).await?;
    let invoice = found.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let provider = Erc20::reading(Reading {
        chain: Arc::clone(chain),
        from,
        currency: merchant.currency,
    });
    let snapshot = provider.fetch(&invoice).await?;
    let by = (Actor::job(JOB), now);
    take_in(app, &invoice, snapshot, by).await
}
