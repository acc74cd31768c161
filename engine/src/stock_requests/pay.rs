//! What arrives for a purchase where a provider sees it, and what of it does not come after all.
//!
//! Keeps: money that arrived buys the purchase, goes to the balance, or waits where everybody sees it; and each part
//! of it does one of these. What is taken back after the serials are the reseller's, or after its money is in the
//! balance, is the balance's to give; what was more than the price goes first.

use super::{Event, RequestedBy, Status, Stepped, StockRequest, WrongStatus};
use crate::{
    clock::Timestamp,
    money::Money,
    payments::{self, Contradiction, Invoice, NotTakenBack, Snapshot},
};

/// What its price brings about once it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OncePaid {
    pub event: Event,
    /// What it brings about instead where it is stored by then that the purchase is over: its units are free.
    pub if_over: Event,
}

impl OncePaid {
    /// For one that is over: nothing can be had for it any more.
    pub const IN_VAIN: Self = Self {
        event: Event::PaidInVain,
        if_over: Event::PaidInVain,
    };
}

/// A purchase for which something arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub request: StockRequest,
    /// Arrivals that were not known.
    pub fresh: Vec<payments::Arrival>,
    /// What of them is more than it costs: the balance's.
    pub surplus: Money,
    /// It was so before.
    pub already: bool,
}

/// A purchase of which a payment did not come after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    pub request: StockRequest,
    /// What is taken back of it.
    pub amount: Money,
    /// What of that the balance is to give.
    pub owed: Money,
}

/// Why what arrived is not taken for the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAccepted(pub payments::Status);

impl StockRequest {
    /// Whether what comes for it would buy it after its end.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.status_at(now).is_over() && self.paid_at.is_none()
    }

    /// Takes in what a provider says.
    pub fn arrived(
        mut self,
        snapshot: &Snapshot,
        once: OncePaid,
        now: Timestamp,
    ) -> Result<Arrived, Contradiction> {
        let invoice = self.invoice().cloned().ok_or(Contradiction)?;
        let before = invoice.left();
        let settled = invoice.settle(snapshot, now)?;
        let fresh = settled.fresh;
        let (invoice, already) = match settled.stepped {
            payments::Stepped::Already(invoice) => (invoice, fresh.is_empty()),
            payments::Stepped::To(invoice) => (invoice, false),
        };
        let mut arrived = fresh.iter().map(|one| one.amount);
        let arrived = arrived.try_fold(Money::ZERO, Money::checked_add);
        let arrived = arrived.ok_or(Contradiction)?;
        let here = before.checked_add(arrived).ok_or(Contradiction)?;
        let surplus = if self.paid_at.is_some() {
            arrived
        } else if invoice.status == payments::Status::Paid {
            here.checked_sub(self.total)
                .unwrap_or_default()
                .max(Money::ZERO)
        } else {
            Money::ZERO
        };
        if !already {
            self = self.at_invoice(*invoice, (here, once), now);
        }
        self.goes_to_balance(surplus);
        Ok(Arrived {
            request: self,
            fresh,
            surplus,
            already,
        })
    }

    /// The merchant takes what arrived for what was asked for; says whether that was so before.
    pub fn accept(self, once: OncePaid, now: Timestamp) -> Result<(Self, bool), NotAccepted> {
        let invoice = self.invoice().cloned();
        let invoice = invoice.ok_or(NotAccepted(self.bill_status(now)))?;
        let here = invoice.left();
        match invoice.accept(now) {
            Err(payments::WrongStatus(status)) => Err(NotAccepted(status)),
            Ok(payments::Stepped::Already(_)) => Ok((self, true)),
            Ok(payments::Stepped::To(invoice)) => {
                Ok((self.at_invoice(*invoice, (here, once), now), false))
            }
        }
    }

    /// Its invoice came to stand so, with so much that is here for it.
    fn at_invoice(
        mut self,
        invoice: Invoice,
        (here, once): (Money, OncePaid),
        now: Timestamp,
    ) -> Self {
        let paid = invoice.status == payments::Status::Paid && self.paid_at.is_none();
        if self.status == Status::Invoiced {
            self.expires_at = invoice.expires_at;
        }
        if let Some(bill) = &mut self.bill {
            bill.invoice = Some(Box::new(invoice));
        }
        self.updated_at = now;
        if paid {
            let event = if self.status.is_over() {
                once.if_over
            } else {
                once.event
            };
            self.paid = Some(here.min(self.total));
            // Before it is paid it is invoiced or over: of both it may be paid.
            match self.clone().step(event, now) {
                Ok(Stepped::To(stepped) | Stepped::Already(stepped)) => return *stepped,
                Err(WrongStatus(_)) => {}
            }
        }
        self.keep_bill();
        self
    }

    /// So much of what arrived is more than its price: it is not for it any more.
    fn goes_to_balance(&mut self, surplus: Money) {
        let invoice = self.bill.as_mut().and_then(|bill| bill.invoice.as_mut());
        if let Some(invoice) = invoice {
            let refunded = invoice.refunded.checked_add(surplus);
            invoice.refunded = refunded.unwrap_or(invoice.refunded);
        }
        let all = self.surplus.checked_add(surplus);
        self.surplus = all.unwrap_or(self.surplus);
    }

    /// The merchant gave money back that arrived and bought nothing; and how much that is.
    pub fn give_unspent_back(
        mut self,
        wanted: Option<Money>,
        now: Timestamp,
    ) -> Result<(Self, Money), NotTakenBack> {
        let status = self.bill_status(now);
        let unspent = self.invoice().filter(|_| self.paid_at.is_none()).cloned();
        let invoice = unspent.ok_or(NotTakenBack::Status(status))?;
        let (invoice, amount) = invoice.refund(wanted, now)?;
        if let Some(bill) = &mut self.bill {
            bill.invoice = Some(Box::new(invoice));
        }
        self.updated_at = now;
        Ok((self, amount))
    }

    /// A payment of this much did not come after all, as its provider says. What was more than the price goes first,
    /// out of the balance, wherever the purchase stands. Then a purchase that has no serials yet ends, unless what is
    /// left is still its price; and nothing is taken of the price of one whose serials are about to leave.
    pub fn reverse(mut self, payment: Money, now: Timestamp) -> Result<Reversed, NotTakenBack> {
        let status = self.bill_status(now);
        let left = self.invoice().ok_or(NotTakenBack::Status(status))?.left();
        let over = payment.min(self.surplus);
        let of_price = payment.checked_sub(over).unwrap_or_default();
        self.surplus = self.surplus.checked_sub(over).unwrap_or_default();
        self.updated_at = now;
        let (amount, owed) = if over > Money::ZERO && of_price.min(left) == Money::ZERO {
            (Money::ZERO, Money::ZERO)
        } else {
            self.reverse_price(of_price, now)?
        };
        let with_over = |amount: Money| amount.checked_add(over);
        let sums = with_over(amount).zip(with_over(owed));
        let (amount, owed) = sums.ok_or(NotTakenBack::Status(status))?;
        Ok(Reversed {
            request: self,
            amount,
            owed,
        })
    }

    /// So much of its price did not come after all: how much of that was still there, and what of it the balance is
    /// to give.
    fn reverse_price(
        &mut self,
        payment: Money,
        now: Timestamp,
    ) -> Result<(Money, Money), NotTakenBack> {
        let status = self.bill_status(now);
        let known = self.invoice().filter(|_| self.status != Status::Allocating);
        let invoice = known.cloned().ok_or(NotTakenBack::Status(status))?;
        let (invoice, amount) = invoice.reverse(payment, now)?;
        let (enough, here) = (invoice.is_enough(invoice.missing()), invoice.left());
        let unpaid = self.paid_at.is_none();
        if let Some(bill) = &mut self.bill {
            bill.invoice = Some(Box::new(invoice));
        }
        let owed = if unpaid {
            Money::ZERO
        } else if self.status == Status::Paid {
            self.paid = Some(here.min(self.total));
            if !enough {
                let ended = Event::Cancelled(RequestedBy::Merchant);
                if let Ok(stepped) = self.clone().step(ended, now) {
                    *self = stepped.into_request();
                }
            }
            Money::ZERO
        } else {
            amount
        };
        self.keep_bill();
        Ok((amount, owed))
    }
}
