//! What a key may do: `resource.action`, as a closed set.

/// One permission. The text form is what the HTTP contract writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    BalanceRead,
    ProductsRead,
    FulfillmentsRead,
    FulfillmentsWrite,
    DynamicWrite,
    ResellerProgramsRead,
    ResellerProgramsWrite,
    ResellersRead,
    ResellersWrite,
    ResellerSalesRead,
    ResellerPayoutsRead,
    ResellerPayoutsWrite,
    ResellerStockRead,
    ResellerStockWrite,
    ProductsWrite,
    WebhooksRead,
    WebhooksWrite,
    BalanceWrite,
    /// Everything a merchant may do.
    All,
}

const NAMES: [(Scope, &str); 19] = [
    (Scope::BalanceRead, "balance.read"),
    (Scope::ProductsRead, "products.read"),
    (Scope::FulfillmentsRead, "fulfillments.read"),
    (Scope::FulfillmentsWrite, "fulfillments.write"),
    (Scope::DynamicWrite, "dynamic.write"),
    (Scope::ResellerProgramsRead, "reseller_programs.read"),
    (Scope::ResellerProgramsWrite, "reseller_programs.write"),
    (Scope::ResellersRead, "resellers.read"),
    (Scope::ResellersWrite, "resellers.write"),
    (Scope::ResellerSalesRead, "reseller_sales.read"),
    (Scope::ResellerPayoutsRead, "reseller_payouts.read"),
    (Scope::ResellerPayoutsWrite, "reseller_payouts.write"),
    (Scope::ResellerStockRead, "reseller_stock.read"),
    (Scope::ResellerStockWrite, "reseller_stock.write"),
    (Scope::ProductsWrite, "products.write"),
    (Scope::WebhooksRead, "webhooks.read"),
    (Scope::WebhooksWrite, "webhooks.write"),
    (Scope::BalanceWrite, "balance.write"),
    (Scope::All, "*"),
];

impl Scope {
    pub fn parse(text: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(scope, _)| *scope)
    }

    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(scope, _)| *scope == self);
        found
            .map(|(_, name)| *name)
            .expect("every scope has a name")
    }
}

impl Scope {
    /// What a reseller's key can have.
    pub fn of_resellers() -> impl Iterator<Item = Self> {
        [
            Self::BalanceRead,
            Self::ProductsRead,
            Self::FulfillmentsRead,
            Self::FulfillmentsWrite,
            Self::DynamicWrite,
        ]
        .into_iter()
    }

    /// What a merchant's key can have.
    pub fn of_merchants() -> impl Iterator<Item = Self> {
        let only_resellers = |scope: &Self| {
            Self::of_resellers().any(|one| one == *scope) && *scope != Self::ProductsRead
        };
        let all = NAMES.iter().map(|(scope, _)| *scope);
        all.filter(move |scope| !only_resellers(scope))
    }

    /// Whether it changes nothing.
    pub fn reads(self) -> bool {
        self.name().rsplit('.').next() == Some("read")
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u32);

impl Scopes {
    /// Whether this set holds the scope, or all.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32 | 1 << Scope::All as u32) != 0
    }

    /// Whether this set names the scope itself.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        NAMES
            .iter()
            .map(|(scope, _)| *scope)
            .filter(move |scope| self.0 & (1 << *scope as u32) != 0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(
            scopes
                .into_iter()
                .fold(0, |bits, scope| bits | 1 << scope as u32),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reseller_and_merchant_share_the_products() {
        let of_resellers: Vec<_> = Scope::of_resellers().collect();
        let shared: Vec<_> = Scope::of_merchants()
            .filter(|scope| of_resellers.contains(scope))
            .collect();
        assert_eq!(shared, [Scope::ProductsRead]);
        assert_eq!(
            Scope::of_merchants().count() + of_resellers.len(),
            NAMES.len() + 1
        );
    }

    #[test]
    fn every_scope_reads_back_and_stands_alone() {
        for (scope, name) in NAMES {
            assert_eq!(Scope::parse(name), Some(scope));
            let only: Scopes = [scope].into_iter().collect();
            for (other, _) in NAMES {
                assert_eq!(
                    only.contains(other),
                    other == scope || scope == Scope::All,
                    "{name}"
                );
            }
        }
    }
}
