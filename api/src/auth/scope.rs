//! What a handler demands of its caller, as types.

use engine::api_keys::Scope;

use crate::layers::rate_limit::Class;

/// A demand: a scope, if any, and the bucket that the call is charged to.
pub(crate) trait Demand: Send + Sync + 'static {
    const SCOPE: Option<Scope>;
    const CLASS: Class;
}

/// Any live key, whatever its scopes.
pub(crate) struct AnyScope;

impl Demand for AnyScope {
    const SCOPE: Option<Scope> = None;
    const CLASS: Class = Class::Reads;
}

macro_rules! demands {
    ($($scope:ident: $class:ident)*) => {$(
        pub(crate) struct $scope;

        impl Demand for $scope {
            const SCOPE: Option<Scope> = Some(Scope::$scope);
            const CLASS: Class = Class::$class;
        }
    )*};
}

demands! {
    All: Reads
    BalanceRead: Reads
    BalanceWrite: Writes
    DynamicWrite: DynamicUrl
    FulfillmentsRead: Reads
    FulfillmentsWrite: Writes
    ProductsRead: Reads
    ProductsWrite: Writes
    ResellerPayoutsRead: Reads
    ResellerPayoutsWrite: Writes
    ResellerProgramsRead: Reads
    ResellerProgramsWrite: Writes
    ResellerSalesRead: Reads
    ResellerStockRead: Reads
    ResellerStockWrite: Writes
    ResellersRead: Reads
    ResellersWrite: Writes
    WebhooksRead: Reads
    WebhooksWrite: Writes
}
