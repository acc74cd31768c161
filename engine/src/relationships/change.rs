//! A change of a relationship: what it would be afterwards, or why it stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grant, Mode, ProductScope, Relationship, Status};
use crate::{
    catalog::Edit,
    clock::Timestamp,
    ids::{ProductId, VariantId},
    money::{Money, Percent},
};

/// What access is for: a product, or one variant of it.
pub type Ware = (ProductId, Option<VariantId>);

/// What is to be different; what is not named stays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    pub name: Option<String>,
    pub code: Option<String>,
    pub mode: Option<Mode>,
    pub commission: Edit<Percent>,
    pub discount: Edit<Percent>,
    pub purchase_limit_daily: Edit<Money>,
    pub purchase_limit_monthly: Edit<Money>,
    pub product_scope: Option<ProductScope>,
    pub notify_customer: Option<bool>,
    pub access: AccessChange,
}

/// A new set of products. Naming either list replaces the whole set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessChange {
    /// With the overrides they had, if they had any.
    pub products: Option<BTreeSet<ProductId>>,
    /// With these overrides.
    pub grants: Option<BTreeMap<Ware, Grant>>,
}

impl AccessChange {
    /// Everything that is named, to be looked up before it is granted.
    pub fn named(&self) -> BTreeSet<Ware> {
        let grants = self.grants.iter().flatten().map(|(ware, _)| *ware);
        let products = self.products.iter().flatten().map(|id| (*id, None));
        grants.chain(products).collect()
    }
}

/// Why a relationship is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// What is over stays as it ended.
    Terminated,
    /// A smallest is above its largest.
    Bounds(Ware),
}

impl Relationship {
    /// The relationship as it would be, at the next version.
    pub fn changed(mut self, change: Change, now: Timestamp) -> Result<Self, Unchanged> {
        if self.status == Status::Terminated {
            return Err(Unchanged::Terminated);
        }
        set(&mut self.name, change.name);
        set(&mut self.code, change.code);
        set(&mut self.mode, change.mode);
        change.commission.apply(&mut self.commission);
        change.discount.apply(&mut self.discount);
        change
            .purchase_limit_daily
            .apply(&mut self.purchase_limit_daily);
        change
            .purchase_limit_monthly
            .apply(&mut self.purchase_limit_monthly);
        set(&mut self.product_scope, change.product_scope);
        set(&mut self.notify_customer, change.notify_customer);
        self.access = replaced(self.access, change.access);
        for (ware, grant) in &self.access {
            if !grant.is_ordered() {
                return Err(Unchanged::Bounds(*ware));
            }
        }
        self.version += 1;
        self.updated_at = now;
        Ok(self)
    }
}

/// The set after a change. What is not named is revoked and remembered with its overrides.
fn replaced(known: BTreeMap<Ware, Grant>, change: AccessChange) -> BTreeMap<Ware, Grant> {
    let AccessChange { products, grants } = change;
    if products.is_none() && grants.is_none() {
        return known;
    }
    let (products, grants) = (products.unwrap_or_default(), grants.unwrap_or_default());
    let mut access = known.clone();
    for grant in access.values_mut() {
        grant.revoked = true;
    }
    for product in products {
        if grants.keys().any(|(granted, _)| *granted == product) {
            continue;
        }
        restore(&mut access, &known, product);
    }
    access.extend(grants);
    access
}

/// A product named by its id alone: as it is, or as it was, or without overrides.
fn restore(access: &mut BTreeMap<Ware, Grant>, known: &BTreeMap<Ware, Grant>, product: ProductId) {
    let of_product = (product, None)..;
    let kept: Vec<_> = known
        .range(of_product)
        .take_while(|((id, _), _)| *id == product)
        .filter(|(_, grant)| !grant.revoked)
        .collect();
    for (ware, grant) in &kept {
        access.insert(**ware, **grant);
    }
    if kept.is_empty() {
        access.entry((product, None)).or_default().revoked = false;
    }
}

fn set<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}
