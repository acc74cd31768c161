//! Pure: whether a reported sale is attributed, and what it is owed.

use chrono::TimeDelta;

use super::{Commission, CommissionStatus, Movement, Reason, Sale, Status, masked};
use crate::{
    clock::Timestamp,
    ids::{LinkId, MerchantId, ProductId, RelationshipId, SaleId, VariantId},
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
    pub link: LinkId,
    pub link_name: String,
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

/// The sale and what it earns, or why it is nobody's.
pub fn report(
    facts: &Facts,
    reported: Reported,
    now: Timestamp,
) -> Result<(Sale, Option<Movement>), Unattributed> {
    check(facts, &reported)?;
    let customer = reported.customer.as_deref();
    let itself = customer.is_some_and(|customer| mailbox(customer) == mailbox(&facts.email));
    let refused = itself && !facts.allow_self_purchase;
    let mut sale = Sale {
        id: reported.id,
        merchant: reported.merchant,
        relationship: facts.relationship,
        link: facts.link,
        link_name: facts.link_name.clone(),
        product: reported.product,
        variant: reported.variant,
        product_title: facts.product_title.clone(),
        invoice: reported.invoice,
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
            percent: percent(facts),
            amount: Money::ZERO,
            reversed: Money::ZERO,
            status: CommissionStatus::Pending,
            hold_until: reported.sold_at + TimeDelta::days(i64::from(facts.hold_days)),
            approved_at: None,
            reason: None,
            note: None,
        },
    };
    if refused {
        sale.commission.status = CommissionStatus::Reversed;
        sale.commission.reason = Some(Reason::SelfPurchase);
        return Ok((sale, None));
    }
    let earned = sale.net().part(sale.commission.percent);
    sale.commission.amount = earned;
    Ok((sale, Some(Movement::Earned(earned))))
}

/// The mailbox of an address: what stands behind a plus is for its owner's own order.
fn mailbox(email: &str) -> (&str, &str) {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    (local.split('+').next().unwrap_or(local), domain)
}

/// The first that is set; 0 % is a value.
fn percent(facts: &Facts) -> Percent {
    let set = facts.percents.into_iter().flatten().next();
    set.unwrap_or(Percent::ZERO)
}

fn check(facts: &Facts, reported: &Reported) -> Result<(), Unattributed> {
    let clicked = reported.clicked.ok_or(Unattributed::UnknownToken)?;
    if facts.link_status == links::Status::Revoked {
        return Err(Unattributed::LinkRevoked);
    }
    if !clicked.reaches(reported.sold_at, facts.window_days) {
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
