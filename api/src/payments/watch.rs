//! Looks at the networks that are watched, for ever: what arrived is stored and credited, what is gone again
//! is forgotten or, if it counted, taken back.
//!
//! Keeps: everything that can still change is read anew each time, so a block that another one replaced leaves
//! nothing behind; the cursor advances when all that was found is stored, so whatever ends this skips nothing.

use std::{collections::HashSet, sync::Arc};

use chrono::TimeDelta;
use engine::{
    audit::Actor,
    chains::{CONFIRMATIONS_MAX, EvmAddress},
    clock::Timestamp,
    payments::{Provider as _, Unavailable},
};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all, pending},
};
use persistence::{
    owned,
    payments::{self, Watched},
    top_ups,
};
use tokio::time::sleep;

use super::{
    chains::Chain,
    erc20::{Erc20, Reading},
    floods::{Told, apart},
    gone,
    rpc::Transfer,
    take_in,
};
use crate::{
    error::{ApiError, Code},
    metrics,
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
    metrics::chain_read(&network, app.now());
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
        // Nobody is paid on it.
        metrics::chain_read(network, now);
        return Ok(false);
    };
    let head = chain.node.head().await?;
    let (from, to) = (cursor + 1, head.min(cursor + BLOCKS_AT_ONCE));
    let late = now - TimeDelta::days(LATE_DAYS);
    let watched = payments::watched(db, network, late).await?;
    let watched = watched.into_iter();
    let watched: Vec<_> = watched
        .filter(|one| !chain.floods.gave_up(one.deposit.address))
        .collect();
    let addresses: Vec<_> = watched.iter().map(|one| one.deposit.address).collect();
    let tokens: HashSet<_> = watched
        .iter()
        .map(|one| one.deposit.token.contract)
        .collect();
    let tokens: Vec<_> = tokens.into_iter().collect();
    let (told, to) = found(&chain, (from, to), &tokens, &addresses).await?;
    let paid: HashSet<_> = told.transfers.iter().map(|transfer| transfer.to).collect();
    let mut all_read = true;
    for one in watched {
        let (address, invoice) = (one.deposit.address, one.invoice);
        if told.silent.contains(&address) {
            all_read &= chain.floods.silent(address, invoice);
            continue;
        }
        if !(paid.contains(&address) || one.confirming && to == head) {
            chain.floods.told(address);
            continue;
        }
        let contract = one.deposit.token.contract;
        // What one invoice cannot be asked keeps no other from being paid.
        match read(&app, (&chain, from), one, now).await {
            Ok(()) => chain.floods.told(address),
            Err(error) => {
                let code = error.code();
                let name = code.name();
                tracing::warn!(
                    network,
                    code = name,
                    "could not read what arrived for an invoice: {name}"
                );
                // Its own question goes unanswered, and not what else is asked: of that nobody is to blame.
                let (range, node) = ((from, head), &chain.node);
                let flooded = code == Code::ProviderUnavailable
                    && node
                        .transfers(range, &[contract], &[address])
                        .await
                        .is_err();
                all_read &= flooded && chain.floods.silent(address, invoice);
            }
        }
    }
    if to == head && all_read {
        metrics::chain_read(network, now);
        gone::look(&app, &chain, (cursor, head, &told.transfers), now).await;
    }
    let last = to.min(head.saturating_sub(CONFIRMATIONS_MAX.into()));
    if last > cursor && all_read {
        payments::advance_cursor(db, network, (cursor, last), now).await?;
    }
    // What was not read is asked for again after a rest.
    Ok(to < head && all_read)
}

/// What arrived from one block on, and up to which: as far as a node tells it at once.
async fn found(
    chain: &Chain,
    (from, mut to): (u64, u64),
    tokens: &[EvmAddress],
    addresses: &[EvmAddress],
) -> Result<(Told, u64), Unavailable> {
    loop {
        match chain.node.transfers((from, to), tokens, addresses).await {
            Ok(transfers) => {
                let told = Told {
                    transfers,
                    silent: Vec::new(),
                };
                return Ok((told, to));
            }
            // Nodes refuse answers that are too long: fewer blocks have less to tell.
            Err(_) if to > from => to = from + (to - from) / 2,
            // One block: whoever is flooded in it keeps no other from being paid.
            Err(_) => {
                let one_block = |some| one_block(chain, from, tokens, some);
                return Ok((apart(addresses, one_block).await?, to));
            }
        }
    }
}

/// Transfers of one block.
fn one_block<'a>(
    chain: &'a Chain,
    block: u64,
    tokens: &'a [EvmAddress],
    addresses: Vec<EvmAddress>,
) -> BoxFuture<'a, Result<Vec<Transfer>, Unavailable>> {
    let asking = async move {
        let range = (block, block);
        chain.node.transfers(range, tokens, &addresses).await
    };
    asking.boxed()
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
