//! History and store, sorted once and brought together.
//!
//! Keeps: no row is left out because another breaks a constraint; what is stored twice is kept aside
//! and named by the point it hurts.

use std::{
    collections::{HashMap, hash_map::Entry as MapEntry},
    ops::Range,
};

use crate::{
    Account, Answer, Balance, Call, Claim, Delivery, Entry, EntryKind, History, Id, Import,
    Invocation, Serial, Store, store::import_of,
};

pub(crate) struct Index<'a> {
    pub(crate) store: &'a Store,
    pub(crate) history: &'a History,
    /// By balance and version.
    pub(crate) entries: Vec<Known<'a>>,
    /// Places in `entries`, one range per balance.
    pub(crate) ledgers: Vec<(i64, Range<usize>)>,
    /// Places of entries whose kind and reference another one has.
    repeated: Vec<usize>,
    /// By balance, version and line.
    claims: Vec<&'a Claim>,
    /// By serial.
    pub(crate) claimed: Vec<&'a Claim>,
    pub(crate) serials: Vec<&'a Serial>,
    pub(crate) imports: HashMap<Id, &'a Import>,
    pub(crate) balances: HashMap<i64, &'a Balance>,
    accounts: HashMap<Account, &'a Balance>,
    /// By account and order id.
    pub(crate) orders: Vec<Order<'a>>,
    pub(crate) credits: Vec<Credit<'a>>,
}

/// An entry and what clients know of it.
pub(crate) struct Known<'a> {
    pub(crate) row: &'a Entry,
    /// When the earliest call was sent that can have caused it; zero if nothing is known of one.
    pub(crate) caused_from: u64,
    /// When a client first heard of it; the end of time if none did.
    pub(crate) told_at: u64,
    /// Whether a call of the history is about it.
    pub(crate) asked: bool,
}

/// All calls about one order id.
pub(crate) struct Order<'a> {
    pub(crate) account: Account,
    pub(crate) balance: Option<&'a Balance>,
    pub(crate) id: &'a str,
    /// By the time they were sent.
    pub(crate) calls: Vec<&'a Invocation>,
    /// Its place in the sorted entries.
    pub(crate) entry: Option<usize>,
}

/// One call that adds money, or takes it: its amount is below zero then.
pub(crate) struct Credit<'a> {
    pub(crate) call: &'a Invocation,
    pub(crate) reference: &'a str,
    pub(crate) amount: i64,
    pub(crate) entry: Option<usize>,
}

impl Credit<'_> {
    /// Whether an entry of this kind and amount is what was asked for. A reversal and a settlement take what
    /// there is, up to that; all others are whole.
    pub(crate) const fn fits(&self, kind: EntryKind, amount: i64) -> bool {
        match kind {
            EntryKind::TopUpReversal | EntryKind::DebtSettlement => {
                self.amount <= amount && amount <= 0
            }
            EntryKind::Fulfillment
            | EntryKind::TopUp
            | EntryKind::Credit
            | EntryKind::Refund
            | EntryKind::Debit
            | EntryKind::StockRefund => self.amount == amount,
        }
    }
}

/// Order ids and references of credits are apart, those of top-ups, credits and debits are not: a
/// client does not know which of the first two it made, and gives the third other references.
type Reference<'a> = (i64, bool, &'a str);

impl<'a> Index<'a> {
    pub(crate) fn new(history: &'a History, store: &'a Store) -> Self {
        let mut entries: Vec<Known<'a>> = store.entries.iter().map(Known::of).collect();
        entries.sort_by_key(|known| (known.row.balance, known.row.version));
        let (by_reference, repeated) = references(&entries);
        let mut claims: Vec<&Claim> = store.claims.iter().collect();
        claims.sort_by_key(|claim| (claim.balance, claim.version, claim.line));
        let mut claimed: Vec<&Claim> = store.claims.iter().collect();
        claimed.sort_by_key(|claim| claim.serial);
        let mut serials: Vec<&Serial> = store.serials.iter().collect();
        serials.sort_by_key(|serial| serial.serial);
        let accounts = store.balances.iter().map(|row| (account(row), row));
        let mut index = Self {
            store,
            history,
            ledgers: ledgers(&entries),
            entries,
            repeated,
            claims,
            claimed,
            serials,
            imports: store.imports.iter().map(|row| (row.import, row)).collect(),
            balances: store
                .balances
                .iter()
                .map(|row| (row.balance, row))
                .collect(),
            accounts: accounts.collect(),
            orders: Vec::new(),
            credits: Vec::new(),
        };
        index.orders = index.gather_orders(&by_reference);
        index.credits = index.gather_credits(&by_reference);
        index.learn();
        index
    }

    /// The balance a call is about.
    pub(crate) fn balance_of(&self, call: &Invocation) -> Option<&'a Balance> {
        self.accounts.get(call.account.as_ref()?).copied()
    }

    /// Entries of a kind whose reference another one has.
    pub(crate) fn repeated(&self, kind: EntryKind) -> impl Iterator<Item = &'a Entry> {
        let rows = self.repeated.iter().map(|at| self.entries[*at].row);
        rows.filter(move |row| row.kind == kind)
    }

    /// The claims that name this entry, in line order.
    pub(crate) fn claims_of(&self, balance: i64, version: i64) -> &[&'a Claim] {
        let place = |claim: &&Claim| (claim.balance, claim.version);
        let from = self
            .claims
            .partition_point(|claim| place(claim) < (balance, version));
        let rest = &self.claims[from..];
        let count = rest
            .iter()
            .take_while(|claim| place(claim) == (balance, version));
        &rest[..count.count()]
    }

    pub(crate) fn entry(&self, balance: i64, version: i64) -> Option<&Known<'a>> {
        let found = self
            .entries
            .binary_search_by_key(&(balance, version), |known| {
                (known.row.balance, known.row.version)
            });
        found.ok().map(|at| &self.entries[at])
    }

    pub(crate) fn serial(&self, id: Id) -> Option<&'a Serial> {
        let found = self.serials.binary_search_by_key(&id, |row| row.serial);
        found.ok().map(|at| self.serials[at])
    }

    pub(crate) fn import(&self, serial: Id) -> Option<&'a Import> {
        self.imports.get(&import_of(serial)).copied()
    }

    /// The first claim of a serial.
    pub(crate) fn claim(&self, serial: Id) -> Option<&'a Claim> {
        let at = self.claimed.partition_point(|claim| claim.serial < serial);
        self.claimed
            .get(at)
            .filter(|claim| claim.serial == serial)
            .copied()
    }

    /// The ledger of a balance, by version.
    pub(crate) fn ledger(&self, balance: i64) -> &[Known<'a>] {
        let found = self.ledgers.binary_search_by_key(&balance, |(id, _)| *id);
        found.map_or(&[], |at| &self.entries[self.ledgers[at].1.clone()])
    }

    fn gather_orders(&self, by_reference: &HashMap<Reference<'a>, usize>) -> Vec<Order<'a>> {
        let mut calls: Vec<(Account, &str, &Invocation)> = Vec::new();
        for call in &self.history.invocations {
            if let (Some(account), Some(order_id)) = (call.account, call.order_id()) {
                calls.push((account, order_id, call));
            }
        }
        calls.sort_by_key(|(account, order_id, call)| (*account, *order_id, call.sent_at));
        let groups = calls.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
        groups
            .map(|group| {
                let (account, order_id, _) = group[0];
                let balance = self.accounts.get(&account).copied();
                let entry = balance
                    .and_then(|row| by_reference.get(&(row.balance, true, order_id)).copied());
                Order {
                    account,
                    balance,
                    id: order_id,
                    calls: group.iter().map(|(_, _, call)| *call).collect(),
                    entry,
                }
            })
            .collect()
    }

    fn gather_credits(&self, by_reference: &HashMap<Reference<'a>, usize>) -> Vec<Credit<'a>> {
        let mut credits = Vec::new();
        for call in &self.history.invocations {
            if let Call::Credit { reference, amount } = &call.call {
                let balance = self.balance_of(call);
                let entry = balance.and_then(|row| {
                    by_reference
                        .get(&(row.balance, false, &**reference))
                        .copied()
                });
                credits.push(Credit {
                    call,
                    reference,
                    amount: *amount,
                    entry,
                });
            }
        }
        credits
    }

    /// Notes at each entry when it can have been caused and when it was told.
    fn learn(&mut self) {
        for order in &self.orders {
            let Some(known) = order.entry.and_then(|at| self.entries.get_mut(at)) else {
                continue;
            };
            let earliest = |caused: fn(&Invocation) -> bool| {
                let calls = order.calls.iter().filter(|call| caused(call));
                calls.map(|call| call.sent_at).min()
            };
            let caused = earliest(is_fresh).or_else(|| earliest(may_execute));
            known.caused_from = caused.unwrap_or_default();
            known.asked = true;
            known.told_at = order
                .calls
                .iter()
                .filter(|call| call.delivery().is_some())
                .filter_map(|call| call.answered.as_ref())
                .map(|answered| answered.at)
                .min()
                .unwrap_or(u64::MAX);
        }
        for credit in &self.credits {
            let Some(known) = credit.entry.and_then(|at| self.entries.get_mut(at)) else {
                continue;
            };
            let sent = credit.call.sent_at;
            known.caused_from = if known.asked {
                known.caused_from.min(sent)
            } else {
                sent
            };
            known.asked = true;
            if let Some(answered) = &credit.call.answered
                && matches!(answered.answer, Answer::Credited { .. })
            {
                known.told_at = known.told_at.min(answered.at);
            }
        }
    }
}

impl<'a> Known<'a> {
    const fn of(row: &'a Entry) -> Self {
        Self {
            row,
            caused_from: 0,
            told_at: u64::MAX,
            asked: false,
        }
    }
}

impl<'a> Order<'a> {
    /// All success answers, with the calls they answer.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = (&'a Invocation, &'a Delivery)> {
        let calls = self.calls.iter();
        calls.filter_map(|call| call.delivery().map(|delivery| (*call, delivery)))
    }

    pub(crate) fn names(&self) -> String {
        let mode = if self.account.test { "test" } else { "live" };
        format!(
            "order `{}` of {mode} {}",
            self.id, self.account.relationship
        )
    }
}

/// Whether a call may be the one that executed its order: an order that nobody answered, that was
/// answered as unknown, or as delivered.
pub(crate) fn may_execute(call: &Invocation) -> bool {
    matches!(call.call, Call::Fulfill { .. }) && (call.is_open() || is_fresh(call))
}

pub(crate) fn is_fresh(call: &Invocation) -> bool {
    matches!(call.call, Call::Fulfill { .. })
        && call.delivery().is_some_and(|delivery| !delivery.replayed)
}

const fn account(row: &Balance) -> Account {
    Account {
        relationship: row.relationship,
        test: row.test,
    }
}

fn ledgers(entries: &[Known<'_>]) -> Vec<(i64, Range<usize>)> {
    let mut from = 0;
    let groups = entries.chunk_by(|a, b| a.row.balance == b.row.balance);
    groups
        .map(|group| {
            let range = from..from + group.len();
            from = range.end;
            (group[0].row.balance, range)
        })
        .collect()
}

fn references<'a>(entries: &[Known<'a>]) -> (HashMap<Reference<'a>, usize>, Vec<usize>) {
    let mut found = HashMap::with_capacity(entries.len());
    let mut repeated = Vec::new();
    for (at, known) in entries.iter().enumerate() {
        let delivers = known.row.kind == EntryKind::Fulfillment;
        let reference = (known.row.balance, delivers, &*known.row.reference);
        match found.entry(reference) {
            MapEntry::Vacant(place) => {
                place.insert(at);
            }
            MapEntry::Occupied(_) => repeated.push(at),
        }
    }
    (found, repeated)
}
