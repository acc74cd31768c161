//! Pure: whether a reported sale is attributed, and what it is owed.

use chrono::TimeDelta;

use super::{Commission, CommissionStatus, Movement, Rate, Reason, Sale, Source, Status, masked};
use crate::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, ProductId, RelationshipId, SaleId, VariantId},
    links::{self, Attribution},
    money::{Money, Percent},
    relationships::{Mode, Status as RelationshipStatus},
};

/// A sale as the merchant reports it: no discount above the amount, no tax above the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub id: SaleId,
    pub merchant: MerchantId,
    pub invoice: String,
    /// The invoice of ours that the customer paid; none if the merchant reports the sale.
    pub billed: Option<InvoiceId>,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub quantity: u32,
    pub amount: Money,
    pub discount: Money,
    pub tax: Money,
    /// In lower case.
    pub customer: Option<String>,
    pub sold_at: Timestamp,
    /// By which link the customer came, if the token is one of ours.
    pub clicked: Option<Attribution>,
}

/// What is known of the link that a customer came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub source: Source,
    pub source_name: String,
    pub link_status: links::Status,
    pub relationship: RelationshipId,
    pub relationship_status: RelationshipStatus,
    pub mode: Mode,
    /// The reseller's own address, in lower case.
    pub email: String,
    pub enabled: bool,
    pub window_days: u16,
    pub hold_days: u16,
    pub allow_self_purchase: bool,
    /// Whether links of the relationship cover the product.
    pub covered: bool,
    /// Of the access to the variant, to the product, of the relationship, of the program.
    pub percents: [Option<Percent>; 4],
    pub product_title: String,
}

/// Why a sale is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unattributed {
    /// The token was not made here, or its link is not this merchant's.
    UnknownToken,
    LinkRevoked,
    /// The click is too long ago, or after the sale.
    OutsideWindow,
    ProgramDisabled,
    RelationshipInactive,
    ModeNotAllowed,
    ProductNotAllowed,
}

impl Unattributed {
    /// The word for it in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownToken => "UNKNOWN_TOKEN",
            Self::LinkRevoked => "LINK_REVOKED",
            Self::OutsideWindow => "OUTSIDE_WINDOW",
            Self::ProgramDisabled => "PROGRAM_DISABLED",
            Self::RelationshipInactive => "RELATIONSHIP_INACTIVE",
            Self::ModeNotAllowed => "MODE_NOT_ALLOWED",
            Self::ProductNotAllowed => "PRODUCT_NOT_ALLOWED",
        }
    }
}

/// Who is owed what of a sale: what is known when its price is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub relationship: RelationshipId,
    pub source: Source,
    pub source_name: String,
    pub rate: Rate,
    pub hold_days: u16,
    /// The customer is the reseller, and the program allows no such thing.
    pub self_purchase: bool,
}

/// Who is owed what of a sale to this customer, or why it is nobody's. The address is in lower case.
pub fn attribute(
    facts: &Facts,
    clicked: Option<Attribution>,
    customer: Option<&str>,
    sold_at: Timestamp,
) -> Result<Share, Unattributed> {
    check(facts, clicked, sold_at)?;
    let itself = customer.is_some_and(|customer| is_itself(customer, &facts.email));
    Ok(Share {
        relationship: facts.relationship,
        source: facts.source,
        source_name: facts.source_name.clone(),
        rate: Rate::Percent(percent(facts)),
        hold_days: facts.hold_days,
        self_purchase: itself && !facts.allow_self_purchase,
    })
}

/// The sale and what it earns, or why it is nobody's.
pub fn report(
    facts: &Facts,
    reported: Reported,
    now: Timestamp,
) -> Result<(Sale, Option<Movement>), Unattributed> {
    let customer = reported.customer.as_deref();
    let share = attribute(facts, reported.clicked, customer, reported.sold_at)?;
    Ok(sold(share, reported, facts.product_title.clone(), now))
}

/// The sale of which somebody is owed a share, and what it earns.
pub fn sold(
    share: Share,
    reported: Reported,
    product_title: String,
    now: Timestamp,
) -> (Sale, Option<Movement>) {
    let mut sale = Sale {
        id: reported.id,
        merchant: reported.merchant,
        relationship: share.relationship,
        source: share.source,
        source_name: share.source_name,
        product: reported.product,
        variant: reported.variant,
        product_title,
        invoice: reported.invoice,
        billed: reported.billed,
        quantity: reported.quantity,
        amount: reported.amount,
        discount: reported.discount,
        tax: reported.tax,
        status: Status::Paid,
        refunded: Money::ZERO,
        customer: reported.customer.as_deref().map(masked),
        sold_at: reported.sold_at,
        created_at: now,
        updated_at: now,
        commission: Commission {
            percent: share.rate.percent(),
            amount: Money::ZERO,
            reversed: Money::ZERO,
            status: CommissionStatus::Pending,
            hold_until: reported.sold_at + TimeDelta::days(i64::from(share.hold_days)),
            approved_at: None,
            reason: None,
            note: None,
        },
    };
    if share.self_purchase {
        sale.commission.status = CommissionStatus::Reversed;
        sale.commission.reason = Some(Reason::SelfPurchase);
        return (sale, None);
    }
    let earned = share.rate.of(sale.net(), sale.quantity);
    sale.commission.amount = earned;
    (sale, Some(Movement::Earned(earned)))
}

/// Whether a customer is the reseller. Addresses are in lower case.
pub fn is_itself(customer: &str, reseller: &str) -> bool {
    mailbox(customer) == mailbox(reseller)
}

/// The mailbox of an address: what stands behind a plus is for its owner's own order.
pub fn mailbox(email: &str) -> (&str, &str) {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    (local.split('+').next().unwrap_or(local), domain)
}

/// The first that is set; 0 % is a value.
fn percent(facts: &Facts) -> Percent {
    let set = facts.percents.into_iter().flatten().next();
    set.unwrap_or(Percent::ZERO)
}

fn check(
    facts: &Facts,
    clicked: Option<Attribution>,
    sold_at: Timestamp,
) -> Result<(), Unattributed> {
    let clicked = clicked.ok_or(Unattributed::UnknownToken)?;
    if facts.link_status == links::Status::Revoked {
        return Err(Unattributed::LinkRevoked);
    }
    if !clicked.reaches(sold_at, facts.window_days) {
        return Err(Unattributed::OutsideWindow);
    }
    if !facts.enabled {
        return Err(Unattributed::ProgramDisabled);
    }
    if facts.relationship_status != RelationshipStatus::Active {
        return Err(Unattributed::RelationshipInactive);
    }
    if !facts.mode.allows_links() {
        return Err(Unattributed::ModeNotAllowed);
    }
    if !facts.covered {
        return Err(Unattributed::ProductNotAllowed);
    }
    Ok(())
}
