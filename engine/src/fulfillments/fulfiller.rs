//! The order of the steps, as sequential code in a task that the engine owns.
//!
//! Quote, hold, claim, append, settle, answer. Until `append` takes the intent, returning early drops
//! the holds, and dropping gives them back. After that the lane decides. No refusal is told before a
//! durable look-up: the order id may have been bound long ago, when there was still money or stock.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    ClaimedSerial, Contents, Delivery, Error, FulfilledLine, Fulfillment, Outcome, Refusal,
    Request,
    policy::{self, Quote},
    rehearsal::{self, Forced},
};
use crate::{
    actors::ask::ask,
    balances::{
        Balances, MoneyHold,
        messages::{Held, Hold},
    },
    catalog::{Product, Sku},
    clock::{self, Clock, Deadline},
    fault::Fault,
    inventory::{
        Inventory, StockHold,
        messages::{Claim, Claimed},
    },
    journal::{Intent, Lanes, Verdict},
    merchants::Merchant,
    metrics::{self, Stage},
    random::Random,
    relationships::Terms,
    snapshots::Snapshots,
};

/// A request is quoted again so often, if its terms or a product change meanwhile.
const REQUOTES_MAX: usize = 8;

/// Everything that a fulfillment passes through.
pub(crate) struct Fulfiller {
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) balances: Balances,
    pub(crate) inventory: Inventory,
    pub(crate) lanes: Lanes,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) claim_deadline: Duration,
}

/// What a request goes on with once its money is held.
struct Paid {
    money: MoneyHold,
    quote: Quote,
    merchant: Arc<Merchant>,
}

/// Either the next step, or the end.
type Next<T> = Result<T, Box<Outcome>>;

fn end<T>(outcome: Outcome) -> Next<T> {
    Err(Box::new(outcome))
}

const fn is_of_price(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::PriceChanged { .. })
}

fn fail<T>(fault: Fault) -> Next<T> {
    end(Err(fault.into()))
}

impl Fulfiller {
    pub(crate) async fn run(&self, request: Arc<Request>, deadline: Deadline) -> Outcome {
        let forced = Forced::of(&request);
        if let Some(forced) = forced {
            Box::pin(rehearsal::begun(forced)).await?;
        }
        match self.execute(&request, deadline).await {
            Ok(_) if forced == Some(Forced::Unknown) => Err(Fault::OutcomeUnknown.into()),
            Ok(fulfillment) => Ok(Delivery::Fresh(fulfillment)),
            Err(outcome) => *outcome,
        }
    }

    async fn execute(&self, request: &Arc<Request>, deadline: Deadline) -> Next<Arc<Fulfillment>> {
        let balance = request.scope().balance;
        let started = clock::instant();
        let Paid {
            money,
            quote,
            merchant,
        } = self.hold(request, deadline).await?;
        let held = took(Stage::Hold, started);
        let claimed = self.claim(request, &quote, &merchant, deadline).await;
        let stock = match claimed {
            Ok(stock) => stock,
            Err(otherwise) => return end(self.refuse(money, request, &merchant, otherwise).await),
        };
        let quote = if crate::sabotage::breaks("price_at_commit") {
            Box::pin(self.quote_again(request)).await.unwrap_or(quote)
        } else {
            quote
        };
        if crate::sabotage::breaks("shed_after_hold") && self.lanes.is_shedding(balance) {
            return fail(Fault::overloaded());
        }
        let claimed = took(Stage::Claim, held);
        let contents = Arc::new(contents(request, &quote, &stock, &merchant));
        let ownership = Arc::clone(&self.lanes.ownership);
        let stock = stock.into_iter().flatten().collect();
        let intent = Intent::new(contents, money, stock, ownership);
        let verdict = self.lanes.fulfill(intent, balance).await;
        let committed = took(Stage::Commit, claimed);
        match verdict {
            Verdict::Committed(intent, stamp) => {
                let fulfillment = intent.settle(stamp);
                took(Stage::Settle, committed);
                Ok(fulfillment)
            }
            Verdict::Duplicate(intent) => {
                let money = intent.void();
                end(self
                    .refuse(money, request, &merchant, Fault::OutcomeUnknown.into())
                    .await)
            }
            Verdict::Aborted(intent, fault) => end(intent.void().close(Err(fault.into()))),
            Verdict::Disowned => fail(Fault::OutcomeUnknown),
        }
    }

    async fn hold(&self, request: &Arc<Request>, deadline: Deadline) -> Next<Paid> {
        let id = request.scope().balance;
        for _ in 0..REQUOTES_MAX {
            let seen = self.snapshots.changes.seen();
            let (terms, merchant) = self.terms(request).await?;
            let products = self.products(request).await?;
            let find = |id| products.iter().find(|product| product.id == id);
            let quote = policy::quote(
                &terms,
                |line| find(line.sku.product).map(Arc::as_ref),
                request,
            );
            let quote = quote.and_then(|quote| rehearsal::quoted(request, quote, self.clock.now()));
            let handle = match self.balances.handle(id, terms.relationship).await {
                Ok(handle) => handle,
                Err(fault) => return fail(not_executed(fault)),
            };
            let asked = ask(&handle.actor, |reply| Hold {
                request: Arc::clone(request),
                quote: quote
                    .as_ref()
                    .map(|quote| quote.total)
                    .map_err(Clone::clone),
                terms: Arc::clone(&terms),
                seen,
                now: self.clock.now(),
                deadline,
                reply,
            });
            let Ok(held) = asked.await else {
                self.balances.registry.bury(id, &handle);
                continue;
            };
            match (held, quote) {
                (Held::Money(money), Ok(quote)) => {
                    return Ok(Paid {
                        money,
                        quote,
                        merchant,
                    });
                }
                (Held::Money(money), Err(refusal)) | (Held::Refused(money, refusal), _) => {
                    return end(self.refuse(money, request, &merchant, refusal.into()).await);
                }
                (Held::Joined(first), quote) => {
                    let joined = first.await;
                    match joined.unwrap_or(Err(Fault::OutcomeUnknown.into())) {
                        // Maximum prices are each caller's own, and this one accepts the price.
                        Err(Error::Refused(refusal)) if quote.is_ok() && is_of_price(&refusal) => {}
                        joined => return end(joined),
                    }
                }
                (Held::Settled(settled), _) => return end(replay(settled, request, &merchant)),
                (Held::Busy(refusal), _) => return end(Err(refusal.into())),
                (Held::TermsChanged, _) => {
                    let refreshed = self.snapshots.refresh_terms(terms.relationship).await;
                    refreshed.map_err(|fault| Box::new(Err(not_executed(fault).into())))?;
                }
                (Held::Outdated, _) => {}
                (Held::Late, _) => return fail(Fault::overloaded()),
            }
        }
        fail(Fault::overloaded())
    }

    /// A quote at the prices of a later moment than the hold: what the sabotage is for.
    async fn quote_again(&self, request: &Request) -> Option<Quote> {
        let (terms, _) = self.terms(request).await.ok()?;
        let products = self.products(request).await.ok()?;
        let find = |id| products.iter().find(|product| product.id == id);
        let quote = policy::quote(
            &terms,
            |line| find(line.sku.product).map(Arc::as_ref),
            request,
        );
        quote.ok()
    }

    async fn terms(&self, request: &Request) -> Next<(Arc<Terms>, Arc<Merchant>)> {
        let scope = request.scope();
        let terms = self.snapshots.terms(scope.relationship).await;
        let merchant = self.snapshots.merchant(scope.merchant).await;
        match (terms, merchant) {
            (Ok(Some(terms)), Ok(Some(merchant))) if terms.merchant == merchant.id => {
                Ok((terms, merchant))
            }
            (Err(fault), _) | (_, Err(fault)) => fail(not_executed(fault)),
            (Ok(_), Ok(_)) => fail(Fault::Aborted {
                reason: "no such relationship",
            }),
        }
    }

    /// The products of a request, each once.
    async fn products(&self, request: &Request) -> Next<Vec<Arc<Product>>> {
        let mut products: Vec<Arc<Product>> = Vec::with_capacity(request.lines().len());
        for line in request.lines() {
            let id = line.sku.product;
            if products.iter().any(|product| product.id == id) {
                continue;
            }
            match self.snapshots.product(id).await {
                Ok(product) => products.extend(product),
                Err(fault) => return fail(not_executed(fault)),
            }
        }
        Ok(products)
    }

    /// Claims every line or none, in ascending order of skus; the result is in the request's order.
    async fn claim(
        &self,
        request: &Request,
        quote: &Quote,
        merchant: &Merchant,
        deadline: Deadline,
    ) -> Result<Vec<Option<StockHold>>, Error> {
        let mut stock: Vec<_> = quote.lines.iter().map(|_| None).collect();
        let mut order: Vec<_> = (0..quote.lines.len()).collect();
        order.sort_by_key(|&index| (quote.lines[index].sku, index));
        for index in order {
            let line = &request.lines()[index];
            let what = (line.sku, line.quantity);
            let hold = if request.scope().test {
                Box::pin(self.make(what, merchant)).await?
            } else {
                self.claim_line(what, merchant, deadline).await?
            };
            stock[index] = Some(hold);
        }
        Ok(stock)
    }

    /// Serials of test mode, stored for this one order before it claims them.
    async fn make(&self, what: (Sku, u32), merchant: &Merchant) -> Result<StockHold, Error> {
        let import = rehearsal::serials(what, merchant, self.clock.now(), &*self.random);
        let serials = rehearsal::claimed(&import);
        let stored = self.inventory.source.rehearse(import).await;
        stored.map_err(not_executed)?;
        Ok(StockHold::made(serials))
    }

    async fn claim_line(
        &self,
        (sku, quantity): (Sku, u32),
        merchant: &Merchant,
        deadline: Deadline,
    ) -> Result<StockHold, Error> {
        let deadline = deadline.at_most(self.claim_deadline);
        loop {
            let handle = self
                .inventory
                .handle(sku, &merchant.key)
                .await
                .map_err(not_executed)?;
            let asked = ask(&handle.actor, |reply| Claim {
                quantity,
                withdrawal: None,
                deadline,
                reply,
            })
            .await;
            match asked {
                Ok(Claimed::Stock(hold)) => return Ok(hold),
                Ok(Claimed::OutOfStock) => {
                    return Err(Refusal::OutOfStock {
                        product: sku.product,
                    }
                    .into());
                }
                Ok(Claimed::Failed(fault)) => return Err(not_executed(fault).into()),
                Err(_) if deadline.passed() => return Err(Fault::overloaded().into()),
                Err(_) => self.inventory.registry.bury(sku, &handle),
            }
        }
    }

    /// Ends an order id that is not executed now, after looking up whether it was before.
    async fn refuse(
        &self,
        mut money: MoneyHold,
        request: &Request,
        merchant: &Merchant,
        otherwise: Error,
    ) -> Outcome {
        money.void();
        // In a box: a success must not carry the room for a look-up.
        let outcome = match Box::pin(self.find(request)).await {
            Ok(Some(_)) if crate::sabotage::breaks("refuse_without_lookup") => Err(otherwise),
            Ok(Some(found)) => replay(Arc::new(found), request, merchant),
            // What memory says may be told only while this process is known to own it.
            Ok(None) if self.lanes.ownership.is_fresh() => Err(otherwise),
            Ok(None) | Err(_) => Err(Fault::OutcomeUnknown.into()),
        };
        money.close(outcome)
    }

    async fn find(&self, request: &Request) -> Result<Option<Fulfillment>, Fault> {
        let balance = request.scope().balance;
        let reader = self.lanes.reader(balance).await?;
        let found = reader.fulfillment(balance, request.order_id()).await;
        if let Err(fault) = &found {
            self.lanes.look_up_failed(balance, &reader, fault);
        }
        found
    }
}

/// An order id that is bound: the same answer to the same request, nothing to another one.
fn replay(bound: Arc<Fulfillment>, request: &Request, merchant: &Merchant) -> Outcome {
    if bound.contents.fingerprint == request.fingerprint()
        || crate::sabotage::breaks("mismatch_shows_serials")
    {
        return Ok(Delivery::Replayed(bound));
    }
    let fields = bound.contents.differing_fields(request, &merchant.key);
    Err(Refusal::OrderMismatch { fields }.into())
}

/// Nothing was held when this happened: the caller may come again.
fn not_executed(fault: Fault) -> Fault {
    match fault {
        Fault::Unavailable => Fault::overloaded(),
        fault @ (Fault::Overloaded { .. }
        | Fault::OutcomeUnknown
        | Fault::Aborted { .. }
        | Fault::Excess) => fault,
    }
}

fn contents(
    request: &Request,
    quote: &Quote,
    stock: &[Option<StockHold>],
    merchant: &Merchant,
) -> Contents {
    let balance = request.scope().balance;
    let claimed = |hold: &StockHold| {
        let serial = |serial: &crate::inventory::ShelvedSerial| ClaimedSerial {
            id: serial.position.serial,
            sealed: serial.sealed.clone(),
        };
        hold.serials().iter().map(serial).collect()
    };
    let lines = quote
        .lines
        .iter()
        .zip(stock)
        .map(|(line, hold)| FulfilledLine {
            sku: line.sku,
            unit_price: line.unit_price,
            price_version: line.price_version,
            serials: claimed(hold.as_ref().expect("every line was claimed")),
        });
    Contents {
        balance,
        order_id: request.order_id().clone(),
        fingerprint: request.fingerprint(),
        channel: request.channel(),
        key: request.key(),
        total: quote.total,
        lines: lines.collect(),
        email: request
            .customer_email()
            .map(|email| merchant.key.seal_email(balance, email.as_str())),
        details: request.details(),
    }
}

fn took(stage: Stage, since: Instant) -> Instant {
    let now = clock::instant();
    metrics::stage(stage, now - since);
    now
}
