//! Merchants, products and terms.

use engine::{
    catalog::{self, FieldKind, ProductKind},
    fault::Fault,
    ids::{KeyId, ProductId, SerialId, VariantId},
    merchants,
    money::{Currency, Money, Percent},
    relationships::{self, DynamicUrlPolicy, Mode, Status},
    vault::{RootKey, Vault},
};
use persistence::{catalog::PgCatalog, merchants::PgMerchants, relationships::PgRelationships};
use uuid::Uuid;

use crate::ground::Ground;

#[tokio::test]
async fn merchant_comes_with_its_own_key() {
    use merchants::Source as _;
    let ground = Ground::new().await;
    let random: std::sync::Arc<dyn engine::random::Random> =
        std::sync::Arc::new(engine::random::SeededRandom::new(3));
    let vault = Vault::new(&RootKey::new([1; 32]), random.clone());
    let wrapped = vault.generate_merchant_key(ground.merchant);
    sqlx::query("UPDATE merchants SET data_key = $1, rate_limit_factor = 5")
        .bind(wrapped.as_bytes())
        .execute(&mut ground.connect().await)
        .await
        .unwrap();
    let merchant = PgMerchants::new(ground.db.clone(), vault.clone())
        .find(ground.merchant)
        .await
        .unwrap();
    let merchant = merchant.unwrap();
    assert_eq!(
        (merchant.name.as_str(), merchant.currency),
        ("Keys", Currency::USD)
    );
    assert_eq!(merchant.rate_limit_factor, 5);
    let serial = SerialId::from_uuid(Uuid::from_u128(1));
    let sealed = vault
        .merchant_key(ground.merchant, &wrapped)
        .unwrap()
        .seal_serial(serial, "key");
    assert_eq!(
        merchant.key.open_serial(serial, &sealed).unwrap().expose(),
        "key"
    );
    let other = Vault::new(&RootKey::new([2; 32]), random);
    let found = PgMerchants::new(ground.db.clone(), other)
        .find(ground.merchant)
        .await;
    assert_eq!(found.err(), Some(Fault::Unavailable));
}

#[tokio::test]
async fn product_comes_with_variants_and_custom_fields() {
    use catalog::Source as _;
    let ground = Ground::new().await;
    ground
        .execute(
            r#"UPDATE products SET wholesale_price = 400, min_quantity = 2, max_quantity = 9,
                 custom_fields = '[{"name": "uid", "kind": "NUMBER", "required": true,
                                    "pattern": "^[0-9]+$"}]';
               INSERT INTO variants (variant_id, product_id, merchant_id, position, title, base_price,
                                     wholesale_price, status)
               SELECT '00000000-0000-0000-0000-000000000002'::uuid, product_id, merchant_id, 2, 'B', 20, 2,
                      'DISABLED' FROM products
               UNION ALL
               SELECT '00000000-0000-0000-0000-000000000001'::uuid, product_id, merchant_id, 1, 'A', 10,
                      NULL, 'ACTIVE' FROM products"#,
        )
        .await;
    let source = PgCatalog::new(ground.db.clone());
    let product = source.find(ground.sku.product).await.unwrap().unwrap();
    assert_eq!(
        (product.merchant, product.kind),
        (ground.merchant, ProductKind::Serials)
    );
    assert_eq!(
        (product.min_quantity, product.max_quantity),
        (Some(2), Some(9))
    );
    assert_eq!(product.wholesale_price, Money::from_minor(400));
    let variants: Vec<_> = product
        .variants
        .iter()
        .map(|variant| (variant.id, variant.wholesale_price))
        .collect();
    let id = |n| VariantId::from_uuid(Uuid::from_u128(n));
    assert_eq!(variants, [(id(1), None), (id(2), Money::from_minor(2))]);
    let field = &product.custom_fields[0];
    assert_eq!(
        (field.name.as_str(), field.kind, field.required),
        ("uid", FieldKind::Number, true)
    );
    assert!(field.accepts("12") && !field.accepts("1.5"));
    let none = source
        .find(ProductId::from_uuid(Uuid::nil()))
        .await
        .unwrap();
    assert!(none.is_none());
}

#[tokio::test]
async fn terms_hold_live_keys_and_open_access_only() {
    use relationships::Source as _;
    let ground = Ground::new().await;
    ground
        .execute(
            "UPDATE relationships SET version = 4, wholesale_discount_percent = 1250,
               purchase_limit_daily = 5000, status = 'SUSPENDED', status_reason = 'late';
             UPDATE programs SET version = 3, dynamic_url_policy = 'SIGNED_ONLY';
             INSERT INTO product_access (relationship_id, product_id, merchant_id, max_quantity)
               SELECT relationship_id, product_id, merchant_id, 7
               FROM relationships JOIN products USING (merchant_id);
             INSERT INTO product_access (relationship_id, product_id, variant_id, merchant_id, revoked_at)
               SELECT relationship_id, product_id, '00000000-0000-0000-0000-000000000001', merchant_id,
                      now() FROM relationships JOIN products USING (merchant_id);
             INSERT INTO api_keys (key_id, merchant_id, relationship_id, test, name, last4, digest,
                                   scopes, daily_spend_cap, expires_at, revoked_at)
               SELECT key_id::uuid, merchant_id, relationship_id, false, '', '', '', '{}', 900,
                      expires_at, revoked_at
               FROM relationships, (VALUES
                 ('00000000-0000-0000-0000-000000000001', NULL, NULL),
                 ('00000000-0000-0000-0000-000000000002', now() + interval '1 day', NULL),
                 ('00000000-0000-0000-0000-000000000003', now() - interval '1 day', NULL),
                 ('00000000-0000-0000-0000-000000000004', NULL, now()))
                 AS keys (key_id, expires_at, revoked_at)",
        )
        .await;
    let source = PgRelationships::new(ground.db.clone());
    let terms = source.find(ground.relationship).await.unwrap().unwrap();
    assert_eq!((terms.version, terms.merchant), (7, ground.merchant));
    assert_eq!((terms.status, terms.mode), (Status::Suspended, Mode::Both));
    assert_eq!(terms.status_reason.as_deref(), Some("late"));
    assert_eq!(terms.dynamic_url_policy, DynamicUrlPolicy::SignedOnly);
    assert_eq!(terms.discount, Percent::from_hundredths(1250));
    assert_eq!(terms.purchase_limit_daily, Money::from_minor(5000));
    assert!(terms.program_enabled && terms.program_discount.is_none());
    let access: Vec<_> = terms
        .access
        .iter()
        .map(|(sku, access)| (*sku, access.max_quantity))
        .collect();
    assert_eq!(access, [((ground.sku.product, None), Some(7))]);
    let keys: Vec<_> = terms
        .keys
        .iter()
        .map(|(key, terms)| (*key, terms.daily_spend_cap))
        .collect();
    let id = |n| KeyId::from_uuid(Uuid::from_u128(n));
    assert_eq!(
        keys,
        [
            (id(1), Money::from_minor(900)),
            (id(2), Money::from_minor(900))
        ]
    );
}
