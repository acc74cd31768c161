//! What a unit costs a reseller.

use crate::money::{Money, Percent};

/// Everything that the wholesale price of something follows from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prices {
    /// Overrides of the access to the variant, and to the product.
    pub of_variant: Option<Money>,
    pub of_product: Option<Money>,
    /// The variant's price, else the product's.
    pub base: Money,
    /// Of the relationship, and of the program.
    pub discount: Option<Percent>,
    pub program_discount: Option<Percent>,
    pub variant_wholesale: Option<Money>,
    pub product_wholesale: Option<Money>,
}

impl Prices {
    /// The first that is set of override of the variant, override of the product, base price less the
    /// relationship's discount, base price less the program's, wholesale price of the variant, wholesale
    /// price of the product.
    pub fn wholesale(&self) -> Option<Money> {
        let less = |percent| self.base.less(percent);
        self.of_variant
            .or(self.of_product)
            .or_else(|| self.discount.map(less))
            .or_else(|| self.program_discount.map(less))
            .or(self.variant_wholesale)
            .or(self.product_wholesale)
    }
}
