//! What the proof reads of the tables.

use futures_util::future::BoxFuture;

use super::{Claimant, EntryRow, MemoryStore, Tables};
use crate::{
    fault::Fault,
    ids::{BalanceId, SerialId},
    money::Money,
    verifier::{Delivered, Line, Source},
};

impl Source for MemoryStore {
    fn next(
        &self,
        after: Option<BalanceId>,
    ) -> BoxFuture<'_, Result<Option<(BalanceId, i64)>, Fault>> {
        Box::pin(async move {
            let tables = self.tables();
            let mut ids = tables.balances.keys();
            let next = ids.find(|id| after.is_none_or(|after| **id > after));
            let last = |id| tables.ledger(id).next_back().map(EntryRow::stamp);
            Ok(next.map(|id| (*id, last(*id).map_or(0, |stamp| stamp.version))))
        })
    }

    fn lines(
        &self,
        balance: BalanceId,
        from: i64,
        through: i64,
    ) -> BoxFuture<'_, Result<Vec<Line>, Fault>> {
        Box::pin(async move {
            let tables = self.tables();
            let rows = tables.ledger(balance);
            let within = |row: &&EntryRow| (from..=through).contains(&row.stamp().version);
            Ok(rows.filter(within).map(|row| line(&tables, row)).collect())
        })
    }

    fn claimed(&self, serials: Vec<SerialId>) -> BoxFuture<'_, Result<Vec<SerialId>, Fault>> {
        Box::pin(async move {
            let tables = self.tables();
            let claimed = |serial: &SerialId| tables.claims.contains_key(serial);
            Ok(serials.into_iter().filter(claimed).collect())
        })
    }
}

fn line(tables: &Tables, row: &EntryRow) -> Line {
    let delivered = match row {
        EntryRow::Fulfillment(row) => {
            let place = Claimant::Entry(row.contents.balance, row.stamp.version);
            let own = |serial: SerialId| tables.claims.get(&serial) == Some(&place);
            let lines = row.contents.lines.iter();
            let claimed = lines.flat_map(|line| {
                let own = line.serials.iter().filter(|serial| own(serial.id));
                own.map(|_| line.unit_price)
            });
            let (claims, cost) = claimed.fold((0, Money::ZERO), |(claims, cost), price| {
                (claims + 1, cost.checked_add(price).expect("a bounded sum"))
            });
            Some(Delivered {
                serials: row.contents.serials().count() as u64,
                claims,
                cost,
            })
        }
        EntryRow::Credit(_) => None,
    };
    Line {
        version: row.stamp().version,
        amount: row.amount(),
        balance_after: row.stamp().balance_after,
        delivered,
    }
}
