//! A small trade told truthfully: two merchants, three resellers, a shelf each, two lanes.

use crate::{
    Account, Answer, Answered, Balance, Batch, Body, Call, Change, Claim, ClaimKind, Delivered,
    Delivery, Entry, EntryKind, Events, Feed, History, Id, Import, Invocation, Lane, Line, Product,
    Run, Serial, Sku, Span, Store, Verdict, audit,
};

pub(super) const PRICE: i64 = 100;
pub(super) const SERIALS: u32 = 40;
const NOON: i64 = 1_800_014_400_000_000;
const FENCE: i64 = 3;

/// Who asks: resellers 0 and 1 are of merchant 0, reseller 2 of merchant 1.
pub(super) const RESELLERS: [usize; 3] = [0, 1, 2];

pub(super) struct Scene {
    pub(super) history: History,
    pub(super) store: Store,
    pub(super) run: Run,
    clock: u64,
    sold: [u32; 2],
}

pub(super) const fn merchant(number: usize) -> Id {
    Id(0x1_0000 + number as u128)
}

pub(super) const fn merchant_of(reseller: usize) -> usize {
    reseller / 2
}

pub(super) const fn relationship(reseller: usize) -> Id {
    Id(0x2_0000 + reseller as u128)
}

pub(super) const fn account(reseller: usize) -> Account {
    Account {
        relationship: relationship(reseller),
        test: false,
    }
}

pub(super) const fn key(reseller: usize) -> Id {
    Id(0x3_0000 + reseller as u128)
}

pub(super) const fn sku(merchant: usize) -> Sku {
    Sku {
        product: Id(0x4_0000 + merchant as u128),
        variant: None,
    }
}

pub(super) const fn import(merchant: usize) -> Id {
    Id((0x5_0000 + merchant as u128) << 32)
}

pub(super) const fn serial(merchant: usize, ordinal: u32) -> Id {
    Id(import(merchant).0 + ordinal as u128)
}

pub(super) fn secret(serial: Id) -> Id {
    Id::digest(serial.to_string().as_bytes())
}

pub(super) const fn balance(reseller: usize) -> i64 {
    match reseller {
        0 => 1,
        1 => 2,
        _ => 3,
    }
}

pub(super) fn body(reseller: usize, quantity: u32) -> Body {
    let line = Line {
        sku: sku(merchant_of(reseller)),
        quantity,
    };
    Body {
        lines: [line].into(),
        rest: Id(7),
    }
}

pub(super) fn order(id: &str, body: Body) -> Call {
    Call::Fulfill {
        order_id: id.into(),
        body,
        max_total: None,
    }
}

impl Scene {
    pub(super) fn empty() -> Self {
        let mut store = Store::default();
        for reseller in RESELLERS {
            store.balances.push(Balance {
                balance: balance(reseller),
                relationship: relationship(reseller),
                merchant: merchant(merchant_of(reseller)),
                test: false,
            });
        }
        for owner in [0, 1] {
            store.products.push(Product {
                product: sku(owner).product,
                merchant: merchant(owner),
            });
            store.imports.push(Import {
                import: import(owner),
                merchant: merchant(owner),
                sku: sku(owner),
                number: Some(if owner == 0 { 1 } else { 2 }),
                test: false,
                serials: SERIALS,
                low_ordinal: 0,
            });
            store.serials.extend((0..SERIALS).map(|ordinal| Serial {
                serial: serial(owner, ordinal),
                merchant: merchant(owner),
                fingerprint: Id(9_000 + u128::from(ordinal)),
                removed: false,
            }));
        }
        store.lanes.extend([0, 1].map(|lane| Lane {
            lane,
            fence: FENCE,
            seq: 0,
        }));
        Self {
            history: History::default(),
            store,
            run: Run {
                resent: true,
                ..Run::default()
            },
            clock: 0,
            sold: [0; 2],
        }
    }

    /// Two credits, two deliveries, a replay, a refusal, a look-up, reads.
    pub(super) fn usual() -> Self {
        let mut scene = Self::empty();
        scene.credit(0, "pay-1", 1_000);
        scene.credit(2, "pay-2", 500);
        scene.deliver(0, "a", 1);
        scene.read(0);
        scene.deliver(0, "b", 2);
        scene.replay(0, "a");
        scene.refuse(1, "c", 1, "INSUFFICIENT_BALANCE");
        scene.deliver(2, "a", 1);
        scene.look_up(0, "b");
        scene.read(0);
        scene
    }

    /// Tells every entry to its merchant and its reseller, and one fact besides, truthfully.
    pub(super) fn tell(&mut self) -> &mut Events {
        let mut events = Events {
            at_rest: true,
            cursors: self
                .store
                .lanes
                .iter()
                .map(|row| (row.lane, row.seq))
                .collect(),
            ..Events::default()
        };
        for own in &self.store.balances {
            let entries = self.store.entries.iter();
            let places = entries.filter(|row| row.balance == own.balance);
            let places: Box<[_]> = places.map(|row| (row.balance, row.version)).collect();
            for relationship in [None, Some(own.relationship)] {
                append(
                    &mut events,
                    (own.merchant, relationship),
                    Some(places.clone()),
                );
            }
        }
        append(&mut events, (merchant(0), None), None);
        self.store.events.insert(events)
    }

    pub(super) fn verdict(&self) -> Verdict {
        audit(&self.history, &self.store, &self.run)
    }

    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 10;
        self.clock
    }

    /// A call with its answer; every call takes some time of its own.
    pub(super) fn call(&mut self, reseller: usize, call: Call, answer: Option<Answer>) -> usize {
        let (sent_at, at) = (self.tick(), self.tick());
        let sequence = u64::try_from(self.history.invocations.len()).expect("few calls");
        self.history.invocations.push(Invocation {
            client: 1,
            sequence,
            sent_at,
            account: Some(account(reseller)),
            key: Some(key(reseller)),
            call,
            answered: answer.map(|answer| Answered { at, answer }),
        });
        self.history.invocations.len() - 1
    }

    pub(super) fn change(&mut self, change: Change) -> usize {
        self.call(0, Call::Change(change), Some(Answer::Changed))
    }

    pub(super) fn credit(&mut self, reseller: usize, reference: &str, amount: i64) -> usize {
        let (_, id) = self.enter(reseller, reference, amount, &[]);
        let call = Call::Credit {
            reference: reference.into(),
            amount,
        };
        let answer = Answer::Credited {
            id,
            replayed: false,
            amount,
            balance_after: self.posted(reseller),
        };
        self.call(reseller, call, Some(answer))
    }

    /// Delivers if there is enough of both, refuses if not.
    pub(super) fn deliver(&mut self, reseller: usize, id: &str, quantity: u32) -> usize {
        if self.posted(reseller) < PRICE * i64::from(quantity) {
            return self.refuse(reseller, id, quantity, "INSUFFICIENT_BALANCE");
        }
        if self.sold[merchant_of(reseller)] + quantity > SERIALS {
            return self.refuse(reseller, id, quantity, "OUT_OF_STOCK");
        }
        let delivery = self.execute(reseller, id, quantity);
        let call = order(id, body(reseller, quantity));
        self.call(reseller, call, Some(Answer::Delivered(delivery)))
    }

    /// Sends again what was delivered.
    pub(super) fn replay(&mut self, reseller: usize, id: &str) -> usize {
        let delivery = self.told(reseller, id);
        let quantity = u32::try_from(delivery.serials.len()).expect("few serials");
        let call = order(id, body(reseller, quantity));
        self.call(reseller, call, Some(Answer::Delivered(delivery)))
    }

    pub(super) fn look_up(&mut self, reseller: usize, id: &str) -> usize {
        let answer = if self.entry(reseller, id).is_some() {
            Answer::Delivered(self.told(reseller, id))
        } else {
            Answer::Absent
        };
        let call = Call::LookUp {
            order_id: id.into(),
        };
        self.call(reseller, call, Some(answer))
    }

    pub(super) fn refuse(
        &mut self,
        reseller: usize,
        id: &str,
        quantity: u32,
        code: &'static str,
    ) -> usize {
        let call = order(id, body(reseller, quantity));
        self.call(reseller, call, Some(Answer::Refused(code.into())))
    }

    pub(super) fn read(&mut self, reseller: usize) -> usize {
        let posted = self.posted(reseller);
        let answer = Answer::Balance {
            posted,
            available: posted,
            version: Some(self.version(reseller)),
        };
        self.call(reseller, Call::ReadBalance, Some(answer))
    }

    /// Stores a delivery, and says what its answer would be.
    pub(super) fn execute(&mut self, reseller: usize, id: &str, quantity: u32) -> Delivery {
        let owner = merchant_of(reseller);
        let from = self.sold[owner];
        self.sold[owner] += quantity;
        let serials: Vec<Id> = (from..from + quantity).map(|n| serial(owner, n)).collect();
        let amount = -PRICE * i64::from(quantity);
        let (version, _) = self.enter(reseller, id, amount, &serials);
        for serial in serials {
            self.store.claims.push(Claim {
                serial,
                kind: ClaimKind::Fulfillment,
                line: 1,
                unit_price: PRICE,
                price_version: 4,
                balance: balance(reseller),
                version,
            });
        }
        Delivery {
            replayed: false,
            ..self.told(reseller, id)
        }
    }

    fn enter(
        &mut self,
        reseller: usize,
        reference: &str,
        amount: i64,
        serials: &[Id],
    ) -> (i64, Id) {
        let kind = match (amount > 0, serials) {
            (true, _) => EntryKind::Credit,
            (false, []) => EntryKind::Debit,
            (false, _) => EntryKind::Fulfillment,
        };
        let version = self.version(reseller) + 1;
        let id = Id(self.store.entries.len() as u128 + 0x6_0000);
        let moment = i64::try_from(self.clock).expect("a short run");
        self.store.entries.push(Entry {
            balance: balance(reseller),
            version,
            kind,
            id,
            amount,
            balance_after: self.posted(reseller) + amount,
            created_at: NOON + moment * 1_000,
            key: (kind == EntryKind::Fulfillment).then(|| key(reseller)),
            reference: reference.into(),
            serials: serials.into(),
        });
        let lane = &mut self.store.lanes[merchant_of(reseller)];
        lane.seq += 1;
        self.store.batches.push(Batch {
            lane: lane.lane,
            seq: lane.seq,
            fence: FENCE,
            entries: [(balance(reseller), version)].into(),
        });
        (version, id)
    }

    pub(super) fn entry(&mut self, reseller: usize, reference: &str) -> Option<&mut Entry> {
        let entries = self.store.entries.iter_mut();
        let mut own = entries.filter(|row| row.balance == balance(reseller));
        own.find(|row| &*row.reference == reference)
    }

    /// The answer of a replay.
    pub(super) fn told(&mut self, reseller: usize, id: &str) -> Delivery {
        let row = self.entry(reseller, id).expect("it was delivered");
        let shown = |id: &Id| Delivered {
            id: *id,
            secret: secret(*id),
        };
        Delivery {
            id: row.id,
            replayed: true,
            cost: -row.amount,
            created_at: row.created_at,
            serials: row.serials.iter().map(shown).collect(),
        }
    }

    pub(super) fn posted(&self, reseller: usize) -> i64 {
        let last = self.ledger(reseller).last();
        last.map_or(0, |row| row.balance_after)
    }

    pub(super) fn version(&self, reseller: usize) -> i64 {
        self.ledger(reseller).last().map_or(0, |row| row.version)
    }

    fn ledger(&self, reseller: usize) -> impl DoubleEndedIterator<Item = &Entry> {
        let entries = self.store.entries.iter();
        entries.filter(move |row| row.balance == balance(reseller))
    }

    /// The answer to a call, to be falsified.
    pub(super) fn answer(&mut self, call: usize) -> &mut Answer {
        let answered = self.history.invocations[call].answered.as_mut();
        &mut answered.expect("it was answered").answer
    }

    pub(super) fn delivery(&mut self, call: usize) -> &mut Delivery {
        match self.answer(call) {
            Answer::Delivered(delivery) => delivery,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn remove_entry(&mut self, reseller: usize, reference: &str) {
        let (own, version) = {
            let row = self.entry(reseller, reference).expect("it is stored");
            (row.balance, row.version)
        };
        self.store
            .entries
            .retain(|row| (row.balance, row.version) != (own, version));
        self.store
            .claims
            .retain(|row| (row.balance, row.version) != (own, version));
    }
}

/// The next span of a feed.
fn append(
    events: &mut Events,
    (merchant, relationship): (Id, Option<Id>),
    entries: Option<Box<[(i64, i64)]>>,
) {
    let count = entries.as_ref().map_or(1, |entries| entries.len());
    let count = i64::try_from(count).expect("few events");
    if count == 0 {
        return;
    }
    let known = |feed: &Feed| (feed.merchant, feed.relationship) == (merchant, relationship);
    let at = events.feeds.iter().position(known).unwrap_or_else(|| {
        events.feeds.push(Feed {
            feed: i64::try_from(events.feeds.len()).expect("few feeds") + 1,
            merchant,
            relationship,
            test: false,
            seq: 0,
            told: None,
        });
        events.feeds.len() - 1
    });
    let feed = &mut events.feeds[at];
    feed.seq += count;
    if relationship.is_some() {
        feed.told = entries.as_ref().and_then(|entries| entries.last()).copied();
    }
    events.spans.push(Span {
        feed: feed.feed,
        first: feed.seq - count + 1,
        last: feed.seq,
        entries,
    });
}
