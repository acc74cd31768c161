//! What an address orders: one line, no price but a maximum.

use std::collections::BTreeMap;

use engine::{
    catalog::Sku,
    fulfillments::{Channel, Draft, Email, Line, OrderId, Request},
    ids::{ProductId, VariantId},
    money::Money,
    vault::Vault,
};
use uuid::Uuid;

use super::{proof::Proof, shown::Format};
use crate::{
    auth::ResellerKey, error::ApiError, extract::Query, fulfillments::request::checked, wire::money,
};

const KNOWN: [&str; 7] = [
    "external_order_id",
    "product_id",
    "customer_email",
    "quantity",
    "variant_id",
    "max_unit_price",
    "format",
];

/// The parameters of an order, as far as they can be read without knowing the currency.
pub(super) struct Parameters {
    order_id: OrderId,
    sku: Sku,
    quantity: u32,
    customer_email: Email,
    max_unit_price: Option<String>,
}

impl Parameters {
    /// Reads the parameters; an unknown one is refused.
    pub(super) fn read(query: &Query, proof: &Proof) -> Result<Self, ApiError> {
        let known = |name: &str| KNOWN.contains(&name) || proof.parameters().contains(&name);
        if let Some(unknown) = query.names().find(|name| !known(name)) {
            return Err(ApiError::field(
                unknown.to_owned(),
                "is not a known parameter",
            ));
        }
        if query
            .get("format")
            .is_some_and(|format| Format::named(format).is_none())
        {
            return Err(ApiError::field("format", "must be `json` or `text`"));
        }
        let required = |name: &'static str| {
            query
                .get(name)
                .ok_or_else(|| ApiError::field(name, "is required"))
        };
        let order_id = OrderId::parse(required("external_order_id")?)
            .map_err(|message| ApiError::field("external_order_id", message))?;
        let customer_email = Email::parse(required("customer_email")?)
            .ok_or_else(|| ApiError::field("customer_email", "must be an e-mail address"))?;
        // A malformed id names nothing, and is answered like any that names nothing.
        let product = ProductId::parse(required("product_id")?);
        let variant = query.get("variant_id").filter(|text| !text.is_empty());
        let variant =
            variant.map(|text| VariantId::parse(text).unwrap_or(VariantId::from_uuid(Uuid::nil())));
        let quantity = query.get("quantity").map_or(Ok(1), |text| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
            let quantity = if digits {
                Ok(text.parse().unwrap_or(u32::MAX))
            } else {
                Err(())
            };
            quantity.map_err(|()| ApiError::field("quantity", "must be a whole number"))
        })?;
        Ok(Self {
            order_id,
            sku: Sku {
                product: product.unwrap_or(ProductId::from_uuid(Uuid::nil())),
                variant,
            },
            quantity,
            customer_email,
            max_unit_price: query.get("max_unit_price").map(str::to_owned),
        })
    }

    /// The request of this caller, within bounds.
    pub(super) fn into_request<D>(
        self,
        caller: &ResellerKey<D>,
        channel: Channel,
        vault: &Vault,
    ) -> Result<Request, ApiError> {
        let maximum = self.max_unit_price.map(|text| -> Result<Money, ApiError> {
            money::read(&text, caller.currency(), "max_unit_price")
        });
        let line = Line {
            sku: self.sku,
            quantity: self.quantity,
            max_unit_price: maximum.transpose()?,
            custom_fields: BTreeMap::new(),
        };
        checked(
            Draft {
                scope: caller.scope(),
                key: caller.key_id(),
                order_id: self.order_id,
                channel,
                lines: vec![line],
                customer_email: Some(self.customer_email),
                max_total: None,
                metadata: BTreeMap::new(),
                idempotency_key: None,
                notify_customer: None,
            },
            vault,
        )
    }
}

#[cfg(test)]
mod tests {
    use engine::{
        api_keys::{KeyKind, KeyText},
        clock,
        ids::KeyId,
        random::SeededRandom,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::extract::query::escaped;

    fn read(raw: &str) -> Result<Parameters, ApiError> {
        let random = SeededRandom::new(1);
        let id = KeyId::generate(clock::EPOCH, &random);
        let proof = Proof::Key(KeyText::generate(KeyKind::Reseller, false, id, &random));
        Parameters::read(&Query::parse(raw)?, &proof)
    }

    const ORDER: &str =
        "external_order_id=77&product_id=prd_x&customer_email=ann%2Bk%40example.com";

    #[test]
    fn order_is_read_with_a_quantity_of_one() {
        let read = read(&format!("api_key=x&{ORDER}")).ok().unwrap();
        assert_eq!((read.order_id.as_str(), read.quantity), ("77", 1));
        assert_eq!(read.customer_email.as_str(), "ann+k@example.com");
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (query, field) in [
            (
                "product_id=x&customer_email=a%40b.example".to_owned(),
                "external_order_id",
            ),
            (
                "external_order_id=1&product_id=x".to_owned(),
                "customer_email",
            ),
            (
                "external_order_id=1&customer_email=a%40b.example".to_owned(),
                "product_id",
            ),
            (format!("{ORDER}&price=1"), "price"),
            (format!("{ORDER}&sig=1"), "sig"),
            (format!("{ORDER}&quantity=x"), "quantity"),
            (format!("{ORDER}&quantity=-1"), "quantity"),
            (format!("{ORDER}&quantity="), "quantity"),
            (format!("{ORDER}&format=xml"), "format"),
        ] {
            let error = read(&query).err().unwrap();
            assert_eq!(error.details()[0].field, field, "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(raw in ".{0,200}", value in "[ -~]{0,40}") {
            let _read_or_refused = read(&raw);
            let escaped = escaped(&value);
            for name in KNOWN {
                let _read_or_refused = read(&format!("{ORDER}&{name}={escaped}"));
            }
        }
    }
}
