//! Relationships and the scopes of their balances.

use engine::ids::MerchantId;
use persistence::relationships::find::{find, find_scope};

use crate::stage::{Stage, at};

#[tokio::test]
async fn relationship_is_found_by_its_merchant_only() {
    let stage = Stage::new().await;
    let (merchant, reseller) = (stage.cast.merchant, &stage.cast.resellers[1]);
    let other = MerchantId::generate(at(0), &*stage.random);

    let found = find(&stage.db, merchant, reseller.id)
        .await
        .unwrap()
        .unwrap();

    assert_eq!(
        (found.code.as_str(), &found.name),
        ("load-1", &reseller.name)
    );
    assert_eq!(found.email, "load-1@reseller.example");
    assert_eq!(find(&stage.db, other, reseller.id).await.unwrap(), None);
    let scope = find_scope(&stage.db, merchant, reseller.id, false)
        .await
        .unwrap();
    assert_eq!(scope, Some(stage.scopes[1]));
    assert_eq!(
        find_scope(&stage.db, other, reseller.id, false)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        find_scope(&stage.db, merchant, reseller.id, true)
            .await
            .unwrap(),
        None
    );
}
