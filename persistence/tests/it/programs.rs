//! A merchant's program and its resellers, changed with their entries in the audit log.

use engine::{
    catalog::Edit,
    ids::{MerchantId, RelationshipId},
    money::{Money, Percent},
    programs::{Change as ProgramChange, OutOfBounds},
    relationships::{
        AccessChange, Change, Mode, Source as _, Status, Step, Unchanged, WrongStatus,
    },
};
use persistence::{
    audit::verify,
    page::PageNumber,
    programs,
    relationships::{
        PgRelationships,
        list::{self, Filter, Listed},
        step::step,
        update::{NotChanged, update},
    },
};

use crate::{
    audit::actor,
    stage::{Stage, at},
};

fn who(stage: &Stage, place: usize) -> (MerchantId, RelationshipId) {
    (stage.cast.merchant, stage.cast.resellers[place].id)
}

async fn read(stage: &Stage, place: usize) -> Listed {
    let (merchant, id) = who(stage, place);
    list::find(&stage.db, merchant, id).await.unwrap().unwrap()
}

/// How many deeds are told of, in a chain that is whole.
async fn deeds(stage: &Stage) -> i64 {
    let proof = verify(&stage.db, stage.cast.merchant).await.unwrap();
    assert_eq!(proof.first_bad, None);
    proof.head.seq
}

#[tokio::test]
async fn changed_program_is_read_back_and_raises_the_version_of_all_terms() {
    let stage = Stage::new().await;
    let merchant = stage.cast.merchant;
    let terms = PgRelationships::new(stage.db.clone());
    let id = stage.cast.resellers[0].id;
    let before = terms.find(id).await.unwrap().unwrap();
    let change = ProgramChange {
        enabled: Some(false),
        default_mode: Some(Mode::Stock),
        discount: Edit::Set(Percent::from_hundredths(250).unwrap()),
        min_payout: Edit::Set(Money::from_minor(2500).unwrap()),
        redirect_hosts: Some(vec!["shop.example".to_owned()]),
        ..ProgramChange::default()
    };
    let changed = programs::update(&stage.db, merchant, change, actor("key_1"), at(5)).await;
    let changed = changed.unwrap().unwrap().unwrap();
    let read = programs::find(&stage.db, merchant).await.unwrap();
    assert_eq!(read, Some(changed));
    let after = terms.find(id).await.unwrap().unwrap();
    assert_eq!(after.version, before.version + 1);
    assert!(!after.program_enabled);
    assert_eq!(after.program_discount, Percent::from_hundredths(250));

    let wrong = ProgramChange {
        commission_hold_days: Some(91),
        ..ProgramChange::default()
    };
    let wrong = programs::update(&stage.db, merchant, wrong, actor("key_1"), at(6)).await;
    assert_eq!(wrong.unwrap().unwrap(), Err(OutOfBounds::CommissionHold));
    assert_eq!(programs::find(&stage.db, merchant).await.unwrap(), read);
    assert_eq!(deeds(&stage).await, 1);
    let other = MerchantId::generate(at(0), &*stage.random);
    let change = ProgramChange::default();
    let foreign = programs::update(&stage.db, other, change, actor("key_1"), at(6)).await;
    assert!(foreign.unwrap().is_none());
}

#[tokio::test]
async fn resellers_are_found_by_page_status_mode_and_words() {
    let stage = Stage::new().await;
    let merchant = stage.cast.merchant;
    let codes = async |filter: Filter| {
        let page = list::list(&stage.db, merchant, filter, None, 10)
            .await
            .unwrap();
        let items = page.items.into_iter();
        items.map(|one| one.relationship.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(Filter::default()).await, ["load-1", "load-0"]);
    let search = |text: &str| Filter {
        search: Some(text.to_owned()),
        ..Filter::default()
    };
    assert_eq!(codes(search("LOAD-1@")).await, ["load-1"]);
    assert_eq!(codes(search("%")).await, [""; 0]);
    let suspended = Filter {
        statuses: vec![Status::Suspended],
        ..Filter::default()
    };
    assert_eq!(codes(suspended).await, [""; 0]);
    let number = PageNumber { page: 2, limit: 1 };
    let filter = Filter::default();
    let second = list::list_numbered(&stage.db, merchant, filter, number)
        .await
        .unwrap();
    assert_eq!((second.total, second.items.len()), (2, 1));
    let other = MerchantId::generate(at(0), &*stage.random);
    let foreign = list::find(&stage.db, other, stage.cast.resellers[0].id).await;
    assert_eq!(foreign.unwrap(), None);
}

#[tokio::test]
async fn changed_reseller_is_read_back_and_revoked_access_is_no_term() {
    let stage = Stage::new().await;
    let kept = stage.cast.products[0].id;
    let change = Change {
        name: Some("Max".to_owned()),
        purchase_limit_daily: Edit::Set(Money::from_minor(900).unwrap()),
        access: AccessChange {
            products: Some([kept].into()),
            grants: None,
        },
        ..Change::default()
    };
    let before = read(&stage, 0).await.relationship;
    let changed = update(&stage.db, who(&stage, 0), change, actor("key_1"), at(5)).await;
    let changed = changed.unwrap().unwrap().unwrap();
    assert_eq!(changed.balances, [stage.scopes[0].balance]);
    let after = read(&stage, 0).await.relationship;
    assert_eq!(
        (after.version, after.updated_at),
        (before.version + 1, at(5))
    );
    assert_eq!(after.name, "Max");
    assert_eq!(after.access.len(), 2);
    let terms = PgRelationships::new(stage.db.clone());
    let terms = terms.find(after.id).await.unwrap().unwrap();
    let sold: Vec<_> = terms.access.keys().map(|(product, _)| *product).collect();
    assert_eq!(sold, [kept]);
    assert_eq!(terms.purchase_limit_daily, Money::from_minor(900));
    assert_eq!(deeds(&stage).await, 1);
}

#[tokio::test]
async fn refused_changes_of_a_reseller_store_nothing() {
    let stage = Stage::new().await;
    let before = read(&stage, 0).await;
    let refused = async |change: Change| {
        let changed = update(&stage.db, who(&stage, 0), change, actor("key_1"), at(5)).await;
        changed.unwrap().unwrap().unwrap_err()
    };
    let code = Change {
        code: Some("load-1".to_owned()),
        ..Change::default()
    };
    assert_eq!(refused(code).await, NotChanged::CodeTaken);
    let stranger = engine::ids::ProductId::generate(at(0), &*stage.random);
    let access = AccessChange {
        products: Some([stranger].into()),
        grants: None,
    };
    let unknown = Change {
        access,
        ..Change::default()
    };
    let expected = NotChanged::UnknownWare((stranger, None));
    assert_eq!(refused(unknown).await, expected);
    assert_eq!(read(&stage, 0).await, before);
    assert_eq!(deeds(&stage).await, 0);
    let other = MerchantId::generate(at(0), &*stage.random);
    let foreign = (other, stage.cast.resellers[0].id);
    let changed = update(&stage.db, foreign, Change::default(), actor("key_1"), at(5)).await;
    assert!(changed.unwrap().is_none());
}

#[tokio::test]
async fn terminated_reseller_has_no_keys_and_stays_as_it_ended() {
    let stage = Stage::new().await;
    let take = async |wanted, second| {
        let what = (wanted, Some("Why".to_owned()), None);
        step(&stage.db, who(&stage, 0), what, actor("key_1"), at(second))
            .await
            .unwrap()
            .unwrap()
    };
    let suspended = take(Step::Suspend, 1).await.unwrap();
    assert!(!suspended.already && suspended.revoked.is_empty());
    assert!(take(Step::Suspend, 2).await.unwrap().already);
    let terms = PgRelationships::new(stage.db.clone());
    let id = stage.cast.resellers[0].id;
    let seen = terms.find(id).await.unwrap().unwrap();
    assert_eq!(
        (seen.status, seen.status_reason.as_deref()),
        (Status::Suspended, Some("Why"))
    );
    assert!(!seen.keys.is_empty());

    let over = take(Step::Terminate, 3).await.unwrap();
    assert_eq!(over.revoked, [stage.cast.resellers[0].key.id]);
    assert_eq!(over.balances, [stage.scopes[0].balance]);
    let again = take(Step::Terminate, 4).await.unwrap();
    assert!(again.already && again.revoked == over.revoked);
    let refused = take(Step::Reactivate, 5).await;
    assert_eq!(refused, Err(WrongStatus(Status::Terminated)));
    assert!(terms.find(id).await.unwrap().unwrap().keys.is_empty());
    let relationship = read(&stage, 0).await.relationship;
    assert_eq!(relationship.terminated_at, Some(at(3)));
    let late = update(
        &stage.db,
        who(&stage, 0),
        Change::default(),
        actor("key_1"),
        at(6),
    )
    .await;
    let expected = NotChanged::Unchanged(Unchanged::Terminated);
    assert_eq!(late.unwrap().unwrap(), Err(expected));
    assert_eq!(deeds(&stage).await, 2);
}
