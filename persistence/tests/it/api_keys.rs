//! API keys as they are stored.

use std::net::IpAddr;

use engine::{
    api_keys::{KeyKind, KeyText, Scope},
    catalog::Edit,
    ids::{KeyId, MerchantId},
    money::Money,
    relationships::{KeyTerms, Source},
    vault::Opened,
};
use persistence::{
    api_keys::{
        KeyEdit, KeyScope, KeyUse, NewKey, Successor, change, expiring, find, insert, list,
        record_uses, revoke, rotate, tell_expiry,
    },
    relationships::PgRelationships,
};

use crate::{
    audit::actor,
    stage::{Stage, at},
};

fn scope_of(stage: &Stage, reseller: Option<usize>) -> KeyScope {
    KeyScope {
        merchant: stage.cast.merchant,
        relationship: reseller.map(|place| stage.cast.resellers[place].id),
    }
}

fn new_key(stage: &Stage, second: i64) -> NewKey {
    let id = KeyId::generate(at(second), &*stage.random);
    let text = KeyText::generate(KeyKind::Reseller, false, id, &*stage.random);
    NewKey {
        terms: KeyTerms {
            products: vec![stage.cast.products[0].id],
            max_quantity: Some(5),
            daily_spend_cap: Money::from_minor(10_000),
        },
        ip_allow_list: vec!["10.0.0.0/8".to_owned()],
        rate_limit_per_second: Some(7),
        expires_at: Some(at(1000)),
        url_secret: Some(Opened::new("signing")),
        ..NewKey::plain(text, "Second", [Scope::DynamicWrite].into_iter().collect())
    }
}

async fn terms_version(stage: &Stage) -> i64 {
    let source = PgRelationships::new(stage.db.clone());
    source
        .find(stage.cast.resellers[0].id)
        .await
        .unwrap()
        .unwrap()
        .version
}

#[tokio::test]
async fn key_of_the_cast_is_found_with_the_balance_it_spends() {
    let stage = Stage::new().await;
    let text = &stage.cast.resellers[0].key;

    let key = find(&stage.db, text.id).await.unwrap().unwrap();

    assert_eq!(
        key.digest,
        stage.vault.key_digest("crk", text.id, text.secret.expose())
    );
    assert_eq!(
        key.reseller,
        Some((stage.cast.resellers[0].id, stage.scopes[0].balance))
    );
    assert_eq!((key.kind, key.last4), (KeyKind::Reseller, text.last4()));
    assert!(key.scopes.contains(Scope::FulfillmentsWrite) && !key.scopes.contains(Scope::All));
    let own = find(&stage.db, stage.cast.key.id).await.unwrap().unwrap();
    assert_eq!((own.kind, own.reseller), (KeyKind::Merchant, None));
    assert!(own.scopes.contains(Scope::ProductsWrite));
    let unknown = KeyId::generate(at(0), &*stage.random);
    assert!(find(&stage.db, unknown).await.unwrap().is_none());
}

#[tokio::test]
async fn new_key_reads_back_whole_and_raises_the_terms() {
    let stage = Stage::new().await;
    let (scope, key) = (scope_of(&stage, Some(0)), new_key(&stage, 1));
    let before = terms_version(&stage).await;

    assert!(
        insert(&stage.db, scope, key.clone(), &stage.vault, at(2))
            .await
            .unwrap()
    );

    assert_eq!(terms_version(&stage).await, before + 1);
    let page = list(&stage.db, scope, None, 1).await.unwrap();
    assert!(page.has_more);
    let stored = &page.items[0];
    assert_eq!(
        (stored.key.id, stored.key.name.as_str()),
        (key.text.id, "Second")
    );
    assert_eq!(
        (stored.key.expires_at, stored.key.created_at),
        (Some(at(1000)), at(2))
    );
    assert_eq!(stored.key.ip_allow_list, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(stored.key.rate_limit_per_second, Some(7));
    assert_eq!(stored.terms.products, key.terms.products);
    assert_eq!(stored.terms.max_quantity, Some(5));
    assert_eq!(stored.terms.daily_spend_cap, Money::from_minor(10_000));
    let sealed = stored.key.url_secret.as_ref().unwrap();
    let opened = stage.vault.open_url_secret(key.text.id, sealed).unwrap();
    assert_eq!(opened.expose(), "signing");
    let rest = list(&stage.db, scope, Some(key.text.id), 9).await.unwrap();
    let ids: Vec<_> = rest.items.iter().map(|stored| stored.key.id).collect();
    assert_eq!(ids, [stage.cast.resellers[0].key.id]);
}

#[tokio::test]
async fn key_for_a_foreign_relationship_is_not_stored() {
    let stage = Stage::new().await;
    let foreign = KeyScope {
        merchant: MerchantId::generate(at(0), &*stage.random),
        ..scope_of(&stage, Some(0))
    };
    let key = new_key(&stage, 1);
    assert!(
        !insert(&stage.db, foreign, key.clone(), &stage.vault, at(2))
            .await
            .unwrap()
    );
    assert!(find(&stage.db, key.text.id).await.unwrap().is_none());
}

#[tokio::test]
async fn key_is_revoked_once_by_its_own_merchant() {
    let stage = Stage::new().await;
    let (scope, id) = (scope_of(&stage, Some(0)), stage.cast.resellers[0].key.id);
    let before = terms_version(&stage).await;
    let revoke = async |scope, second| {
        let reason = Some("leaked".to_owned());
        let who = (scope, actor("usr_1"));
        revoke(&stage.db, who, id, reason, at(second))
            .await
            .unwrap()
    };
    for foreign in [scope_of(&stage, Some(1)), scope_of(&stage, None)] {
        assert!(revoke(foreign, 5).await.is_none());
    }
    assert_eq!(terms_version(&stage).await, before);

    let revoked = revoke(scope, 6).await.unwrap();
    let again = revoke(scope, 7).await.unwrap();

    assert!(!revoked.already && again.already);
    assert_eq!(revoked.balances, [stage.scopes[0].balance]);
    for answer in [revoked, again] {
        assert_eq!(answer.stored.key.revoked_at, Some(at(6)));
        assert_eq!(answer.stored.revoked_reason.as_deref(), Some("leaked"));
    }
    assert_eq!(terms_version(&stage).await, before + 1);
    let terms = PgRelationships::new(stage.db.clone())
        .find(stage.cast.resellers[0].id)
        .await;
    assert!(!terms.unwrap().unwrap().keys.contains_key(&id));
}

#[tokio::test]
async fn merchant_revokes_an_own_key() {
    let stage = Stage::new().await;
    let id = stage.cast.key.id;
    let who = (scope_of(&stage, None), actor("usr_1"));
    let revoked = revoke(&stage.db, who, id, None, at(6))
        .await
        .unwrap()
        .unwrap();
    assert!(!revoked.already && revoked.balances.is_empty());
    let own = list(&stage.db, scope_of(&stage, None), None, 9)
        .await
        .unwrap();
    assert_eq!(own.items.len(), 1);
}

#[tokio::test]
async fn use_is_recorded_at_most_once_a_minute() {
    let stage = Stage::new().await;
    let id = stage.cast.resellers[0].key.id;
    let from: IpAddr = "192.0.2.7".parse().unwrap();
    let other = stage.cast.resellers[1].key.id;
    let used = async |second, keys: &[KeyId]| {
        let at = at(second);
        let uses: Vec<_> = keys.iter().map(|&key| KeyUse { key, from, at }).collect();
        record_uses(&stage.db, &uses).await.unwrap()
    };
    assert_eq!(used(0, &[id]).await, 1);
    assert_eq!(used(59, &[id, other]).await, 1);
    assert_eq!(used(60, &[id, other]).await, 1);
    assert_eq!(used(60, &[]).await, 0);
    let page = list(&stage.db, scope_of(&stage, Some(0)), None, 9)
        .await
        .unwrap();
    assert_eq!(
        (page.items[0].last_used_at, page.items[0].last_used_ip),
        (Some(at(60)), Some(from))
    );
}

#[tokio::test]
async fn key_that_ends_within_a_week_is_announced_once_and_another_end_anew() {
    let stage = Stage::new().await;
    let (scope, key) = (scope_of(&stage, Some(0)), new_key(&stage, 1));
    let id = key.text.id;
    insert(&stage.db, scope, key, &stage.vault, at(2))
        .await
        .unwrap();
    let due = async |second| {
        let due = expiring(&stage.db, 10, at(second)).await.unwrap();
        due.into_iter()
            .map(|one| (one.key, one.recipients))
            .collect::<Vec<_>>()
    };
    let week = 7 * 86_400;
    assert_eq!(due(999 - week).await, []);
    let recipients = vec!["load-0@reseller.example".to_owned()];
    assert_eq!(due(1000 - week).await, [(id, recipients)]);
    assert_eq!(due(1000).await, []);
    let tell = async || {
        let told = tell_expiry(&stage.db, &stage.vault, id, Vec::new(), at(3));
        told.await.unwrap()
    };
    assert!(tell().await);
    assert!(!tell().await);
    assert_eq!(due(4).await, []);
    let edit = KeyEdit {
        expires_at: Edit::Set(at(2000)),
        ..KeyEdit::default()
    };
    let changed = change(&stage.db, (scope, actor("usr_1")), id, edit, at(5)).await;
    assert!(changed.unwrap().unwrap().is_ok());
    assert_eq!(due(6).await.len(), 1);
}

#[tokio::test]
async fn of_two_rotations_at_once_one_counts() {
    let stage = Stage::new().await;
    let (scope, id) = (scope_of(&stage, Some(0)), stage.cast.resellers[0].key.id);
    let before = terms_version(&stage).await;
    let rotate = async |second| {
        let new = KeyId::generate(at(second), &*stage.random);
        let successor = Successor {
            text: KeyText::generate(KeyKind::Reseller, false, new, &*stage.random),
            url_secret: Opened::new("signing"),
            overlap_hours: 1,
        };
        let who = (scope, actor("usr_1"));
        let rotated = rotate(&stage.db, &stage.vault, who, (id, successor), at(second)).await;
        rotated.unwrap().unwrap()
    };
    let (first, second) = tokio::join!(rotate(10), rotate(11));
    assert_ne!(first.is_ok(), second.is_ok());
    assert_eq!(terms_version(&stage).await, before + 1);
    let successors = "SELECT COUNT(*) FROM api_keys WHERE replaces IS NOT NULL";
    assert_eq!(stage.count(successors).await, 1);
    let told = "SELECT COUNT(*) FROM audit_log WHERE action = 'key.rotate'";
    assert_eq!(stage.count(told).await, 1);
    let old = find(&stage.db, id).await.unwrap().unwrap();
    assert!(old.is_live(at(3609)) && !old.is_live(at(3611)));
}
