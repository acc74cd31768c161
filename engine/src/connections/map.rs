//! Which product of ours a product of a shop is.
//!
//! Keeps: a pair of a shop's product and variant stands once in a map, so a call means one thing.

use std::collections::BTreeSet;

use crate::{catalog::Sku, fulfillments::LINE_QUANTITY_MAX};

/// Lines of one map.
pub(super) const LINES_MAX: usize = 200;
/// Characters of what a shop calls a product or a variant.
const FOREIGN_CHARS_MAX: usize = 200;

/// One line of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    pub foreign_product: String,
    /// None: whatever variant the call names that has no line of its own.
    pub foreign_variant: Option<String>,
    pub sku: Sku,
    /// Units of ours for one unit that the shop sold.
    pub factor: u32,
}

/// Why lines are no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    Length,
    /// The line's own texts.
    Text(usize),
    Factor(usize),
    /// It says the same as a line before it.
    Twice(usize),
}

/// What a shop's products are here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductMap(Vec<Mapped>);

impl ProductMap {
    pub fn new(lines: Vec<Mapped>) -> Result<Self, Unfit> {
        if lines.is_empty() || lines.len() > LINES_MAX {
            return Err(Unfit::Length);
        }
        let mut seen = BTreeSet::new();
        for (at, line) in lines.iter().enumerate() {
            let mut texts = [Some(&line.foreign_product), line.foreign_variant.as_ref()]
                .into_iter()
                .flatten();
            if !texts.all(|text| is_name(text)) {
                return Err(Unfit::Text(at));
            }
            if !(1..=LINE_QUANTITY_MAX).contains(&line.factor) {
                return Err(Unfit::Factor(at));
            }
            if !seen.insert((&line.foreign_product, &line.foreign_variant)) {
                return Err(Unfit::Twice(at));
            }
        }
        Ok(Self(lines))
    }

    pub fn lines(&self) -> &[Mapped] {
        &self.0
    }

    /// The line for a product under one of the names of its variant, the first first; else the line for
    /// the product whatever its variant.
    pub fn find(&self, product: &str, variants: &[String]) -> Option<&Mapped> {
        let of = |variant: Option<&String>| {
            self.0.iter().find(|line| {
                line.foreign_product == product && line.foreign_variant.as_ref() == variant
            })
        };
        let named = variants.iter().find_map(|variant| of(Some(variant)));
        named.or_else(|| of(None))
    }
}

/// What a shop may call a thing.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= FOREIGN_CHARS_MAX
        && !text.contains(char::is_control)
}
