//! Uploads of serials.

use engine::{
    catalog::Sku,
    ids::{ImportId, MerchantId},
    inventory::{
        Source,
        import::{Duplicates, Flaw, Import, Problem, Refusal, Target, Upload},
    },
    merchants::Merchant,
    money::Currency,
    vault::Sealed,
};
use persistence::inventory::{
    PgInventory,
    import::{Outcome, import},
};
use uuid::Uuid;

use crate::stage::{Stage, at};

async fn merchant(stage: &Stage) -> Merchant {
    let id = stage.cast.merchant;
    let mut connection = stage.db.read().await.unwrap();
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT data_key FROM merchants")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    Merchant {
        id,
        name: String::new(),
        storefront_url: None,
        currency: Currency::USD,
        key: stage
            .vault
            .merchant_key(id, &Sealed::from_bytes(wrapped))
            .unwrap(),
        rate_limit_factor: 1,
    }
}

/// An upload to the first product.
async fn upload(stage: &Stage, lines: &[&str], duplicates: Duplicates) -> Import {
    let target = Target {
        import: ImportId::for_import(at(0), &*stage.random),
        sku: Sku {
            product: stage.cast.products[0].id,
            variant: None,
        },
        label: Some("spring".to_owned()),
    };
    let upload = Upload::read(lines.iter().copied(), duplicates).unwrap();
    upload.seal(target, &merchant(stage).await, &stage.vault)
}

async fn stored(stage: &Stage, import: ImportId) -> Vec<(Uuid, Vec<u8>)> {
    let mut connection = stage.db.read().await.unwrap();
    sqlx::query_as(
        "SELECT serial_id, sealed FROM serials WHERE serial_id BETWEEN $1 AND $2 ORDER BY serial_id",
    )
    .bind(import.serial(0).uuid())
    .bind(import.serial(u32::MAX).uuid())
    .fetch_all(&mut *connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn upload_is_stored_sealed_and_waits_for_its_number() {
    let stage = Stage::new().await;
    let sent = upload(&stage, &["one", "two"], Duplicates::Refuse).await;
    let (id, restock) = (sent.target.import, sent.restock());

    let outcome = import(&stage.db, sent).await.unwrap();

    assert_eq!(
        outcome,
        Outcome::Stored {
            added: 2,
            duplicates: 0
        }
    );
    let rows = stored(&stage, id).await;
    let key = merchant(&stage).await.key;
    for ((ordinal, text), (serial, sealed)) in (0..).zip(["one", "two"]).zip(rows) {
        assert_eq!(serial, id.serial(ordinal).uuid());
        let opened = key
            .open_serial(id.serial(ordinal), &Sealed::from_bytes(sealed))
            .unwrap();
        assert_eq!(opened.expose(), text);
    }
    let waiting = PgInventory::new(stage.db.clone())
        .unnumbered()
        .await
        .unwrap();
    assert!(waiting.contains(&restock));
}

#[tokio::test]
async fn stored_secret_refuses_the_upload_and_names_its_lines() {
    let stage = Stage::new().await;
    let first = upload(&stage, &["a", "b", "c"], Duplicates::Refuse).await;
    import(&stage.db, first).await.unwrap();
    let second = upload(&stage, &["x", "c", "", "y", "a"], Duplicates::Refuse).await;
    let id = second.target.import;

    let outcome = import(&stage.db, second).await.unwrap();

    let problem = |line| Problem {
        line,
        flaw: Flaw::Stored,
    };
    let refusal = Refusal::Lines {
        problems: vec![problem(2), problem(5)],
        count: 2,
    };
    assert_eq!(outcome, Outcome::Refused(refusal));
    assert_eq!(stored(&stage, id).await, []);
    let waiting = PgInventory::new(stage.db.clone())
        .unnumbered()
        .await
        .unwrap();
    assert!(waiting.iter().all(|restock| restock.import != id));
}

#[tokio::test]
async fn duplicates_are_left_out_and_counted_when_asked() {
    let stage = Stage::new().await;
    import(
        &stage.db,
        upload(&stage, &["a", "b"], Duplicates::Refuse).await,
    )
    .await
    .unwrap();
    let second = upload(&stage, &["x", "b", "y", "x", "a", "z"], Duplicates::Remove).await;
    let id = second.target.import;

    let outcome = import(&stage.db, second).await.unwrap();

    assert_eq!(
        outcome,
        Outcome::Stored {
            added: 3,
            duplicates: 3
        }
    );
    let ids: Vec<_> = stored(&stage, id)
        .await
        .into_iter()
        .map(|(serial, _)| serial)
        .collect();
    assert_eq!(ids, [0, 2, 4].map(|ordinal| id.serial(ordinal).uuid()));
    let counted = "SELECT SUM(serials) FROM imports WHERE label = 'spring'";
    assert_eq!(stage.count(counted).await, 2 + 3);
}

#[tokio::test]
async fn uploads_of_the_same_secrets_at_once_store_each_once() {
    let stage = Stage::new().await;
    let texts: Vec<_> = (0..3000).map(|number| format!("serial {number}")).collect();
    let forth: Vec<_> = texts.iter().map(String::as_str).collect();
    let back: Vec<_> = forth.iter().rev().copied().collect();
    let before = stage.count("SELECT COUNT(*) FROM serials").await;
    let mut uploads = Vec::new();
    for lines in [&forth, &back, &forth, &back] {
        uploads.push(upload(&stage, lines, Duplicates::Remove).await);
    }
    let outcomes = uploads.into_iter().map(|upload| import(&stage.db, upload));

    let mut total = 0;
    for outcome in futures_util::future::join_all(outcomes).await {
        let Outcome::Stored { added, duplicates } = outcome.unwrap() else {
            panic!("refused")
        };
        assert_eq!(added + duplicates, 3000);
        total += added;
    }
    assert_eq!(total, 3000);
    assert_eq!(
        stage.count("SELECT COUNT(*) FROM serials").await,
        before + 3000
    );
}

#[tokio::test]
async fn upload_to_a_foreign_or_unfit_product_is_not_found() {
    let stage = Stage::new().await;
    let mut foreign = upload(&stage, &["a"], Duplicates::Refuse).await;
    foreign.merchant = MerchantId::generate(at(0), &*stage.random);
    let mut variant = upload(&stage, &["b"], Duplicates::Refuse).await;
    variant.target.sku.variant = Some(engine::ids::VariantId::generate(at(0), &*stage.random));
    for unfit in [foreign, variant] {
        let outcome = import(&stage.db, unfit).await.unwrap();
        assert_eq!(outcome, Outcome::Refused(Refusal::NotFound));
    }
}
