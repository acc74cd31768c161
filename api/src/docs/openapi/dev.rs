//! `/dev/v1`.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    api_keys::{Key, revoke::RevokeKey},
    balances::credit::{CreditBalance, CreditedBalance},
    catalog::{product::MerchantProduct, stock::Stock, update::UpdateProduct},
    error::Code,
    inventory::{import::Imported, upload::UploadSerials},
    me::MerchantMe,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = resellers();
    all.extend(products());
    all
}

fn resellers() -> Vec<Operation> {
    vec![
        Operation::new("get", "/dev/v1/me", "Who calls.").answers::<MerchantMe>(200),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/balance/credit",
            "Add money to a reseller's balance, once per reference.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<CreditBalance>()
        .answers::<CreditedBalance>(200)
        .answers::<CreditedBalance>(201)
        .refuses(&[Code::AlreadyExists]),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/api-keys",
            "A reseller's keys, without secrets.",
        )
        .scope(Scope::ResellersRead)
        .query(&[Parameter::LIMIT, Parameter::CURSOR])
        .lists::<Key>(),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/api-keys/{key}/revoke",
            "End a key: once answered, it buys nothing any more.",
        )
        .scope(Scope::ResellersWrite)
        .once()
        .takes::<RevokeKey>()
        .answers::<Key>(200),
    ]
}

fn products() -> Vec<Operation> {
    let import = |path, summary| {
        Operation::new("post", path, summary)
            .scope(Scope::ProductsWrite)
            .once()
            .takes::<UploadSerials>()
            .answers::<Imported>(201)
            .refuses(&[Code::ProductNotEligible])
    };
    vec![
        Operation::new("get", "/dev/v1/products/{id}", "One product.")
            .scope(Scope::ProductsRead)
            .answers::<MerchantProduct>(200),
        Operation::new(
            "patch",
            "/dev/v1/products/{id}",
            "Change a product: once answered, nothing is sold under the old price or status.",
        )
        .scope(Scope::ProductsWrite)
        .once()
        .takes::<UpdateProduct>()
        .answers::<MerchantProduct>(200)
        .refuses(&[Code::InvalidState]),
        Operation::new(
            "get",
            "/dev/v1/products/{id}/stock",
            "What is on the shelf of a product.",
        )
        .scope(Scope::ProductsRead)
        .answers::<Stock>(200),
        import(
            "/dev/v1/products/{id}/serials",
            "Store serials of a product, all or none.",
        ),
        import(
            "/dev/v1/products/{id}/variants/{variant}/serials",
            "Store serials of a variant, all or none.",
        ),
    ]
}
