//! What merchants do with their shelves: take serials off them, by name or from the front.

use std::{collections::BTreeSet, time::Duration};

use engine::{
    fault::Fault,
    ids::{SerialId, WithdrawalId},
    inventory::{Kept, Pulled, Purpose, WithdrawalCall},
    random::Random as _,
};
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    cast::Ware,
    clients::Clients,
    history::{Asked, Heard, faulted},
    tally::{Kind, Sometimes},
};

/// Most serials that are named at once.
const NAMED_MAX: u32 = 6;

fn heard(pulled: Result<Pulled, Fault>) -> Heard {
    match pulled {
        Ok(Pulled::Serials(serials)) => Heard::Withdrawn(serials),
        Ok(Pulled::OutOfStock) => Heard::Refused("OUT_OF_STOCK"),
        Err(fault) => faulted(&fault),
    }
}

impl Clients {
    /// One withdrawal at a time of its own, perhaps sent twice.
    pub(crate) async fn withdrawals(&self) {
        let (stage, dice) = (&self.stage, &self.stage.dice);
        sleep(Duration::from_millis(dice.below(self.horizon))).await;
        if !stage.weather.may(Kind::WithdrawalAgainstSale) {
            return;
        }
        stage.weather.struck(Kind::WithdrawalAgainstSale);
        let ware = dice.pick(&stage.cast.wares).clone();
        let asked = if dice.percent(60) {
            self.removal(&ware)
        } else {
            Asked::Pull {
                id: self.fresh_id(),
                sku: ware.sku,
                quantity: dice.small(1, 4),
            }
        };
        self.withdraw(asked.clone()).await;
        if stage.weather.strikes(Kind::WithdrawalTwice, 300) {
            sleep(dice.millis(0, 2000)).await;
            self.withdraw(asked).await;
        }
    }

    /// Some serials of a shelf, claimed or not, wherever they lie.
    fn removal(&self, ware: &Ware) -> Asked {
        let (stage, dice) = (&self.stage, &self.stage.dice);
        let all: Vec<SerialId> = {
            let tables = stage.db.tables();
            let own = tables.imports.iter().filter(|(_, row)| row.sku == ware.sku);
            let serials = own.flat_map(|(id, row)| {
                let count = u32::try_from(row.serials.len()).expect("a small import");
                (0..count).map(|ordinal| id.serial(ordinal))
            });
            serials.collect()
        };
        let named = (0..dice.small(1, NAMED_MAX)).map(|_| *dice.pick(&all));
        let named: BTreeSet<_> = named.collect();
        Asked::Remove {
            id: self.fresh_id(),
            sku: ware.sku,
            serials: named.into_iter().collect(),
        }
    }

    pub(crate) fn fresh_id(&self) -> WithdrawalId {
        let mut bytes = [0; 16];
        self.stage.cast.random.fill(&mut bytes);
        WithdrawalId::from_uuid(Uuid::from_bytes(bytes))
    }

    /// Sends a withdrawal once. None: no answer came.
    pub(crate) async fn withdraw(&self, asked: Asked) -> Option<Heard> {
        let stage = &self.stage;
        let process = stage.any()?;
        let engine = process.engine.clone();
        let call = |id, sku| {
            let owner = stage.cast.wares.iter().find(|ware| ware.sku == sku);
            let merchant = owner.expect("a ware of the cast").merchant;
            WithdrawalCall {
                id,
                merchant,
                sku,
                by: None,
            }
        };
        let work = asked.clone();
        let answer = async {
            match work {
                Asked::Remove { id, sku, serials } => {
                    match engine.remove(call(id, sku), serials).await {
                        Ok(done) => {
                            if done.kept.iter().any(|(_, kept)| *kept == Kept::Held) {
                                stage.weather.reached(Sometimes::WithdrawalKept);
                            }
                            Heard::Withdrawn(done.removed)
                        }
                        Err(fault) => faulted(&fault),
                    }
                }
                Asked::Pull { id, sku, quantity } => {
                    heard(engine.pull(call(id, sku), Purpose::Pull, quantity).await)
                }
                Asked::Redeem { id, sku, quantity } => {
                    let call = call(id, sku);
                    let pull = engine.pull(call.clone(), Purpose::Sale, quantity);
                    let redeemed = self.redeem(&process, &call, async { heard(pull.await) });
                    redeemed.await
                }
                other => unreachable!("no withdrawal: {other:?}"),
            }
        };
        self.call(&process, (None, None), asked, answer).await
    }

    /// Withdrawals that were not answered with certainty.
    pub(crate) fn open_withdrawals(&self) -> Vec<Asked> {
        let calls = self.stage.history.calls();
        let open = calls.all.iter().filter(|call| {
            let asked = matches!(
                call.asked,
                Asked::Remove { .. } | Asked::Pull { .. } | Asked::Redeem { .. }
            );
            asked && matches!(call.heard, None | Some((_, Heard::Unknown)))
        });
        open.map(|call| call.asked.clone()).collect()
    }
}
