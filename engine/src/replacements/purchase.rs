//! Pure: which serials of a customer's purchase are replaced, when its merchant says that they are no good.
//!
//! Keeps: a serial has at most one successor; one that took another's place, or whose price went back, is replaced
//! only if the merchant wants that despite it. Nobody asks first, so no time is over and nothing waits.

use crate::{
    catalog::Sku,
    checkout::{Line, Unit, chains},
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, ProductId, ReplacementId, SerialId, VariantId, WithdrawalId},
    money::Money,
    payments::{Invoice, Status},
};

/// Some serials of one line of a purchase, and what took their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceReplacement {
    pub id: ReplacementId,
    pub merchant: MerchantId,
    pub invoice: InvoiceId,
    pub sku: Sku,
    pub serials: Vec<SerialId>,
    /// One for each, in their order; none as long as it is not known that they left their shelf.
    pub successors: Vec<SerialId>,
    pub reason: Option<String>,
    /// Wanted also of what took another's place, and of what went back.
    pub despite: bool,
    pub created_at: Timestamp,
}

impl InvoiceReplacement {
    /// The withdrawal that takes the successors off their shelf.
    pub const fn withdrawal(&self) -> WithdrawalId {
        WithdrawalId::from_uuid(self.id.uuid())
    }

    pub fn is_issued(&self) -> bool {
        !self.successors.is_empty()
    }

    /// The same serials by name: what happened since then may forbid it.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            which: Which::These(self.serials.clone()),
            product: None,
            variant: None,
            despite: self.despite,
        }
    }
}

/// How many, or which ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All that were not replaced yet.
    All,
    /// So many of those, in the order in which they were delivered.
    First(u32),
    These(Vec<SerialId>),
}

/// What a merchant wants replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub which: Which,
    /// Of which line; may be left out if there is only one.
    pub product: Option<ProductId>,
    pub variant: Option<VariantId>,
    /// Also what took another's place, and what of which the price went back.
    pub despite: bool,
}

/// Why nothing is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReplaced {
    /// Nothing was delivered, or it is disputed.
    Status(Status),
    /// The purchase has no such line, or no such serial.
    Unknown,
    /// It has several lines that could be meant.
    SeveralLines,
    Refunded,
    /// One that is named was replaced before, or took another's place.
    Before,
    /// There are only so many that were not replaced.
    Excess {
        left: usize,
    },
}

/// The line that is meant, and which of its serials are replaced.
pub fn of_purchase(
    invoice: &Invoice,
    (lines, units): (&[Line], &[Unit]),
    wanted: &Wanted,
) -> Result<(usize, Vec<SerialId>), NotReplaced> {
    if invoice.status == Status::Refunded {
        return Err(NotReplaced::Refunded);
    }
    if !invoice.is_delivered() {
        return Err(NotReplaced::Status(invoice.status));
    }
    let given = chains(lines, units);
    let mut meant = (0..lines.len()).filter(|at| wanted.means(&lines[*at], &given[*at]));
    let at = meant.next().ok_or(NotReplaced::Unknown)?;
    if meant.next().is_some() {
        return Err(NotReplaced::SeveralLines);
    }
    if lines[at].rest() == Money::ZERO && !wanted.despite {
        return Err(NotReplaced::Refunded);
    }
    let (first, later): (Vec<_>, Vec<_>) = given[at].iter().partition(|chain| chain.len() == 1);
    let mut open = first;
    if wanted.despite {
        open.extend(later);
    }
    let open: Vec<SerialId> = open
        .into_iter()
        .filter_map(|it| it.last())
        .copied()
        .collect();
    let serials = match &wanted.which {
        Which::All => open,
        Which::First(count) => {
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            let first = open.get(..count);
            let left = open.len();
            first.ok_or(NotReplaced::Excess { left })?.to_vec()
        }
        Which::These(named) => {
            let of_line = |serial| given[at].iter().flatten().any(|own| own == serial);
            if !named.iter().all(of_line) {
                return Err(NotReplaced::Unknown);
            }
            if !named.iter().all(|serial| open.contains(serial)) {
                return Err(NotReplaced::Before);
            }
            named.clone()
        }
    };
    if serials.is_empty() {
        return Err(NotReplaced::Excess { left: 0 });
    }
    Ok((at, serials))
}

impl Wanted {
    fn means(&self, line: &Line, given: &[Vec<SerialId>]) -> bool {
        let named = match &self.which {
            Which::All | Which::First(_) => true,
            Which::These(named) => {
                let of_line = |serial| given.iter().flatten().any(|own| own == serial);
                named.first().is_some_and(of_line)
            }
        };
        let product = self.product.is_none_or(|id| id == line.sku.product);
        let variant = self.variant.is_none_or(|id| Some(id) == line.sku.variant);
        named && product && variant && !given.is_empty()
    }
}
