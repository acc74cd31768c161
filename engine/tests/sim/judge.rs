//! What the run left, handed to the judge: every call and answer, every row, memory at rest.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use auditor::{
    Account, Alarms, Answer, Answered, Before, Call as Invoked, ClaimKind, Delivered, Delivery, Id,
    Invocation, Memory, Point, Run, Store,
};
use engine::{
    balances::EntryKind,
    catalog::Sku,
    engine::Credited,
    fulfillments::Fulfillment,
    ids::{SerialId, WithdrawalId},
    inventory::Purpose,
    money::Money,
    relationships::RelationshipScope,
    testing::{Claimant, EntryRow, Tables},
};

use tokio::time::timeout;

use crate::{
    alarms,
    cast::Ware,
    history::{Asked, Body, Call, Change, Heard},
    panics,
    run::LIVENESS,
    stage::Stage,
    tally::Kind,
};

const NOT_YET: &str = "liveness";

/// Err: what promises were broken.
pub(crate) async fn judge(stage: &Stage) -> Result<(), String> {
    // Settlements are told, not asked: let the actors hear them.
    tokio::time::sleep(Duration::from_millis(5)).await;
    if let Some(broken) = stage.broken.borrow().first() {
        return Err(broken.clone());
    }
    if let Some(breach) = stage.db.breach() {
        return Err(breach.to_owned());
    }
    let memory = at_rest(stage).await?;
    let run = Run {
        resent: true,
        before: before(stage),
        answer_within: None,
        memory: Some(memory),
        alarms: Some(alarms(stage)?),
        skip: skipped(stage),
    };
    let calls = stage.history.calls();
    let invocations = (0..).zip(&calls.all);
    let history = auditor::History {
        invocations: invocations
            .map(|(number, call)| invocation(stage, number, call))
            .collect(),
    };
    let store = store(stage, &stage.db.tables());
    let verdict = auditor::audit(&history, &store, &run);
    if verdict.good() {
        return Ok(());
    }
    let told: Vec<_> = verdict.to_string().lines().map(str::to_owned).collect();
    let bad = |line: &&String| !line.contains(" holds, ") && !line.contains(" not checked");
    Err(told
        .iter()
        .filter(bad)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n"))
}

/// What the engine holds once nothing of it is held for an order that its lane has not decided; a
/// process that finds out only now that it lost the shard says nothing, and its successor is asked.
async fn at_rest(stage: &Stage) -> Result<Memory, String> {
    let rest = async {
        loop {
            match memory(stage).await {
                Err(error) if error.starts_with(NOT_YET) => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                found => return found,
            }
        }
    };
    timeout(LIVENESS, rest).await.map_err(|_| {
        format!("C17 {NOT_YET}: nobody says what is in memory, or something is held for ever")
    })?
}

/// Balances as the engine tells them; that it has just the stock that is stored is seen at once.
async fn memory(stage: &Stage) -> Result<Memory, String> {
    let engine = &stage.last().ok_or(NOT_YET)?.engine;
    // An owner that was replaced moments ago finds out when a change is told to it.
    for ware in stage.cast.wares.iter().take(1) {
        let told = engine.product_changed(ware.sku.product).await;
        told.map_err(|fault| format!("{NOT_YET}: {fault}"))?;
    }
    let mut memory = Memory::default();
    for purse in &stage.cast.purses {
        let balance = engine.balance(purse.scope).await;
        let balance = balance.map_err(|fault| format!("{NOT_YET}: {fault}"))?;
        if balance.held != Money::ZERO {
            return Err(format!("{NOT_YET}: {balance:?}"));
        }
        let of = purse.scope.balance.0;
        memory
            .balances
            .push((of, balance.posted.minor(), balance.held.minor()));
    }
    for ware in &stage.cast.wares {
        // A serial that does not open may be met, and taken out of sale, while the engine counts.
        let (free_before, closed_before) = free(stage, ware);
        let stock = engine.stock(ware.merchant, ware.sku).await;
        let stock = stock.map_err(|fault| format!("{NOT_YET}: {fault}"))?;
        let reserved = reserved(stage, ware);
        let left = stock.stock.saturating_sub(reserved);
        if stock.available > left {
            return Err(format!("N20: {stock:?}, and {reserved} are reserved"));
        }
        if stock.available < left {
            return Err(format!("{NOT_YET}: {stock:?}, and {reserved} are reserved"));
        }
        let (free, _) = free(stage, ware);
        let there = free..=free_before + closed_before;
        if !there.contains(&stock.stock) {
            return Err(format!(
                "C17: {stock:?}, the store has {there:?} serials on sale"
            ));
        }
    }
    Ok(memory)
}

/// Units that rows keep.
fn reserved(stage: &Stage, ware: &Ware) -> u64 {
    let rows = stage.db.tables().reserved(ware.sku);
    rows.iter().map(|row| u64::from(row.quantity)).sum()
}

/// Unclaimed serials on sale: those that open, and those that do not and were not met yet.
fn free(stage: &Stage, ware: &Ware) -> (u64, u64) {
    let tables = stage.db.tables();
    let (mut free, mut closed) = (0, 0);
    for (id, row) in &tables.imports {
        if row.sku != ware.sku || row.number.is_none() {
            continue;
        }
        for (ordinal, sealed) in (0..).zip(&row.serials) {
            let serial = id.serial(ordinal);
            if tables.claims.contains_key(&serial) {
                continue;
            }
            if stage.cast.opens(ware.merchant, serial, sealed) {
                free += 1;
            } else {
                closed += 1;
            }
        }
    }
    (free, closed)
}

/// The deposits that balances began with.
fn before(stage: &Stage) -> Before {
    let deposits = stage.cast.purses.iter().map(|purse| purse.scope.balance.0);
    let tables = stage.db.tables();
    let deposited = |balance: &i64| {
        let first = tables.ledger(engine::ids::BalanceId(*balance)).next();
        first.is_some_and(|row| row.reference() == "deposit")
    };
    Before::Versions(
        deposits
            .filter(deposited)
            .map(|balance| (balance, 1))
            .collect(),
    )
}

/// What the engine says of itself, but for what the run did to it on purpose.
fn alarms(stage: &Stage) -> Result<Alarms, String> {
    let mut violations = alarms::violated();
    let tally = &stage.weather.tally;
    if tally.strikes(Kind::SealBroken) > 0 {
        violations.remove("serial_does_not_open");
    }
    if tally.strikes(Kind::ConstraintFires) > 0 {
        violations.remove("ledger_entries_pkey");
    }
    if let Some((invariant, count)) = violations.iter().next() {
        return Err(format!("C19: {invariant} violated {count} times"));
    }
    let drift = alarms::proved("drift");
    if drift > 0 {
        return Err(format!("C19: the verifier found drift {drift} times"));
    }
    panics::unexpected()?;
    Ok(Alarms::default())
}

fn skipped(stage: &Stage) -> Vec<(Point, &'static str)> {
    let jumped = stage.weather.tally.strikes(Kind::ClockJumps) > 0;
    let skip = (Point::C18, "the clock jumped: no day is told from another");
    jumped.then_some(skip).into_iter().collect()
}

fn invocation(stage: &Stage, number: u32, call: &Call) -> Invocation {
    let scope = call.purse.map(|purse| stage.cast.purses[purse].scope);
    let answered = call.heard.as_ref();
    Invocation {
        client: number,
        sequence: 0,
        sent_at: call.sent_at,
        account: scope.map(|scope| account(&scope)),
        key: call.key.map(|key| Id(key.uuid().as_u128())),
        call: invoked(&call.asked, scope.as_ref()),
        answered: answered.map(|(at, heard)| Answered {
            at: *at,
            answer: answer(&call.asked, heard),
        }),
    }
}

fn account(scope: &RelationshipScope) -> Account {
    Account {
        relationship: Id(scope.relationship.uuid().as_u128()),
        test: scope.test,
    }
}

fn sku(sku: Sku) -> auditor::Sku {
    auditor::Sku {
        product: Id(sku.product.uuid().as_u128()),
        variant: sku.variant.map(|variant| Id(variant.uuid().as_u128())),
    }
}

fn invoked(asked: &Asked, scope: Option<&RelationshipScope>) -> Invoked {
    match asked {
        Asked::Order { id, body } => Invoked::Fulfill {
            order_id: id.as_str().into(),
            body: body_of(body),
            max_total: None,
        },
        Asked::LookUp { id } => Invoked::LookUp {
            order_id: id.as_str().into(),
        },
        Asked::Credit { reference, amount } => Invoked::Credit {
            reference: reference.as_str().into(),
            amount: amount.minor(),
        },
        Asked::Balance => Invoked::ReadBalance,
        Asked::Import {
            sku: of,
            import,
            serials,
        } => Invoked::Import {
            sku: sku(*of),
            secrets: (0..*serials)
                .map(|n| Id(import.serial(n).uuid().as_u128()))
                .collect(),
        },
        Asked::Remove {
            id,
            sku: of,
            serials,
        } => Invoked::Remove {
            withdrawal: Id(id.uuid().as_u128()),
            sku: sku(*of),
            serials: ids(serials),
        },
        Asked::Pull {
            id,
            sku: of,
            quantity,
        } => Invoked::Pull {
            withdrawal: Id(id.uuid().as_u128()),
            sku: sku(*of),
            quantity: *quantity,
        },
        Asked::Redeem {
            id,
            sku: of,
            quantity,
        } => Invoked::Redeem {
            withdrawal: Id(id.uuid().as_u128()),
            sku: sku(*of),
            quantity: *quantity,
        },
        Asked::Change(change) => {
            Invoked::Change(changed(change, scope.expect("a change of some terms")))
        }
    }
}

fn ids(serials: &[SerialId]) -> Box<[Id]> {
    let serials = serials.iter();
    serials.map(|serial| Id(serial.uuid().as_u128())).collect()
}

fn body_of(body: &Body) -> auditor::Body {
    let line = |&(of, quantity): &(Sku, u32)| auditor::Line {
        sku: sku(of),
        quantity,
    };
    auditor::Body {
        lines: body.lines.iter().map(line).collect(),
        rest: Id::digest(body.email.as_deref().unwrap_or_default().as_bytes()),
    }
}

fn changed(change: &Change, scope: &RelationshipScope) -> auditor::Change {
    let relationship = Id(scope.relationship.uuid().as_u128());
    match change {
        Change::KeyRevoked(key) => auditor::Change::KeyRevoked {
            key: Id(key.uuid().as_u128()),
        },
        Change::Active(active) => auditor::Change::Relationship {
            relationship,
            active: *active,
        },
        Change::Access(product, allowed) => auditor::Change::Access {
            relationship,
            sku: auditor::Sku {
                product: Id(product.uuid().as_u128()),
                variant: None,
            },
            allowed: *allowed,
        },
        Change::Limits(daily, monthly) => auditor::Change::PurchaseLimits {
            relationship,
            daily: daily.map(engine::money::Money::minor),
            monthly: monthly.map(engine::money::Money::minor),
        },
        Change::KeyCap(key, daily) => auditor::Change::KeyCap {
            key: Id(key.uuid().as_u128()),
            daily: daily.map(engine::money::Money::minor),
        },
    }
}

fn answer(asked: &Asked, heard: &Heard) -> Answer {
    match heard {
        Heard::Delivered {
            fulfillment,
            replayed,
        } => Answer::Delivered(delivery(fulfillment, *replayed)),
        Heard::Absent => Answer::Absent,
        Heard::Credited(credited) => {
            let (entry, replayed) = match credited {
                Credited::Fresh(entry) => (entry, false),
                Credited::Replayed(entry) => (entry, true),
            };
            Answer::Credited {
                id: Id(entry.stamp.id.uuid().as_u128()),
                replayed,
                amount: entry.credit.amount.minor(),
                balance_after: entry.stamp.balance_after.minor(),
            }
        }
        Heard::Balance(balance) => Answer::Balance {
            posted: balance.posted.minor(),
            available: balance.available().minor(),
            version: Some(balance.version),
        },
        Heard::Withdrawn(serials) => Answer::Withdrawn {
            serials: ids(serials),
        },
        Heard::Done => match asked {
            Asked::Import {
                import, serials, ..
            } => Answer::Imported {
                import: Id(import.uuid().as_u128()),
                stored: *serials,
                duplicates: 0,
            },
            _ => Answer::Changed,
        },
        Heard::Refused(code) => Answer::Refused(Cow::Borrowed(code)),
        Heard::Unknown => Answer::Unknown,
    }
}

fn delivery(fulfillment: &Fulfillment, replayed: bool) -> Delivery {
    let serials = fulfillment.contents.serials();
    Delivery {
        id: Id(fulfillment.stamp.id.uuid().as_u128()),
        replayed,
        cost: fulfillment.contents.total.minor(),
        created_at: fulfillment.stamp.created_at.timestamp_micros(),
        serials: serials
            .map(|serial| Delivered {
                id: Id(serial.id.uuid().as_u128()),
                secret: Id::default(),
            })
            .collect(),
    }
}

fn store(stage: &Stage, tables: &Tables) -> Store {
    let mut store = Store::default();
    for purse in &stage.cast.purses {
        store.balances.push(auditor::Balance {
            balance: purse.scope.balance.0,
            relationship: Id(purse.scope.relationship.uuid().as_u128()),
            merchant: Id(purse.scope.merchant.uuid().as_u128()),
            test: purse.scope.test,
        });
    }
    for product in tables.products.values() {
        store.products.push(auditor::Product {
            product: Id(product.id.uuid().as_u128()),
            merchant: Id(product.merchant.uuid().as_u128()),
        });
    }
    ledgers(tables, &mut store);
    withdrawals(tables, &mut store);
    shelves(tables, &mut store);
    lanes(tables, &mut store);
    terms(tables, &mut store);
    store
}

fn ledgers(tables: &Tables, store: &mut Store) {
    let mut sold = HashMap::new();
    for row in tables.entries.values() {
        let (stamp, balance) = (row.stamp(), row.balance().0);
        let (key, serials) = match row {
            EntryRow::Fulfillment(row) => {
                for (number, line) in (1..).zip(&row.contents.lines) {
                    for serial in &line.serials {
                        let price = (line.unit_price.minor(), line.price_version);
                        sold.insert((serial.id, balance, stamp.version), (number, price));
                    }
                }
                let serials = row
                    .contents
                    .serials()
                    .map(|serial| serial.id.uuid().as_u128());
                (
                    Some(Id(row.contents.key.uuid().as_u128())),
                    serials.map(Id).collect(),
                )
            }
            EntryRow::Credit(_) => (None, Box::default()),
        };
        store.entries.push(auditor::Entry {
            balance,
            version: stamp.version,
            kind: match row.kind() {
                EntryKind::Fulfillment | EntryKind::StockPurchase => {
                    auditor::EntryKind::Fulfillment
                }
                EntryKind::TopUp => auditor::EntryKind::TopUp,
                EntryKind::Credit => auditor::EntryKind::Credit,
                EntryKind::Refund => auditor::EntryKind::Refund,
                EntryKind::Debit => auditor::EntryKind::Debit,
                EntryKind::TopUpReversal => auditor::EntryKind::TopUpReversal,
                EntryKind::StockRefund => auditor::EntryKind::StockRefund,
                EntryKind::DebtSettlement => auditor::EntryKind::DebtSettlement,
            },
            id: Id(stamp.id.uuid().as_u128()),
            amount: row.amount().minor(),
            balance_after: stamp.balance_after.minor(),
            created_at: stamp.created_at.timestamp_micros(),
            key,
            reference: row.reference().into(),
            serials,
        });
    }
    for (serial, claimant) in &tables.claims {
        let (kind, balance, version) = match *claimant {
            Claimant::Entry(balance, version) => (ClaimKind::Fulfillment, balance.0, version),
            Claimant::Quarantine => (ClaimKind::Quarantine, 0, 0),
            Claimant::Withdrawal(id) => (withdrawn(tables, id), 0, 0),
        };
        let known = sold.get(&(*serial, balance, version)).copied();
        let (line, (unit_price, price_version)) = known.unwrap_or_default();
        store.claims.push(auditor::Claim {
            serial: Id(serial.uuid().as_u128()),
            kind,
            line,
            unit_price,
            price_version,
            balance,
            version,
        });
    }
}

/// The kind of a withdrawal's claims.
fn withdrawn(tables: &Tables, id: WithdrawalId) -> ClaimKind {
    match tables.withdrawals[&id].purpose {
        Purpose::Removal => ClaimKind::Removal,
        Purpose::Pull => ClaimKind::Pull,
        Purpose::Replacement => ClaimKind::Replacement,
        Purpose::Stock => ClaimKind::Stock,
        Purpose::Sale => ClaimKind::Sale,
    }
}

fn withdrawals(tables: &Tables, store: &mut Store) {
    for row in tables.withdrawals.values() {
        store.withdrawals.push(auditor::Withdrawal {
            withdrawal: Id(row.id.uuid().as_u128()),
            merchant: Id(row.merchant.uuid().as_u128()),
            sku: sku(row.sku),
            kind: withdrawn(tables, row.id),
            serials: ids(&row.serials),
        });
    }
}

fn shelves(tables: &Tables, store: &mut Store) {
    for (import, row) in &tables.imports {
        let merchant = Id(row.merchant.uuid().as_u128());
        let serials = u32::try_from(row.serials.len()).expect("a small import");
        store.imports.push(auditor::Import {
            import: Id(import.uuid().as_u128()),
            merchant,
            sku: sku(row.sku),
            number: row.number,
            test: row.test,
            serials,
            low_ordinal: 0,
        });
        store.serials.extend((0..serials).map(|ordinal| {
            let id = import.serial(ordinal);
            let serial = Id(id.uuid().as_u128());
            auditor::Serial {
                serial,
                merchant,
                fingerprint: serial,
                removed: is_removed(tables, id),
            }
        }));
    }
}

fn is_removed(tables: &Tables, serial: SerialId) -> bool {
    matches!(tables.claims.get(&serial), Some(Claimant::Withdrawal(id))
        if tables.withdrawals[id].purpose == Purpose::Removal)
}

fn lanes(tables: &Tables, store: &mut Store) {
    let lane = |(lane, row): (&u16, &engine::testing::LaneRow)| auditor::Lane {
        lane: i32::from(*lane),
        fence: row.fence,
        seq: row.seq,
    };
    store.lanes = tables.lanes.iter().map(lane).collect();
    for ((lane, seq), row) in &tables.batches {
        let entries = row.entries.iter();
        store.batches.push(auditor::Batch {
            lane: i32::from(*lane),
            seq: *seq,
            fence: row.fence,
            entries: entries
                .map(|(balance, version)| (balance.0, *version))
                .collect(),
        });
    }
}

fn terms(tables: &Tables, store: &mut Store) {
    for terms in tables.terms.values() {
        store.limits.push(auditor::Limits {
            relationship: Id(terms.relationship.uuid().as_u128()),
            daily: terms.purchase_limit_daily.map(engine::money::Money::minor),
            monthly: terms
                .purchase_limit_monthly
                .map(engine::money::Money::minor),
        });
        for (key, own) in &terms.keys {
            if let Some(cap) = own.daily_spend_cap {
                store.key_caps.push(auditor::KeyCap {
                    key: Id(key.uuid().as_u128()),
                    daily: cap.minor(),
                });
            }
        }
    }
}
