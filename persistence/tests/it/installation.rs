//! The canary.

use std::sync::Arc;

use engine::{
    random::SeededRandom,
    vault::{RootKey, Vault},
};
use persistence::installation::{Canary, check_canary, identity};

use crate::stage::{Stage, empty};

fn vault(key: u8) -> Vault {
    Vault::new(
        &RootKey::new([key; 32]),
        Arc::new(SeededRandom::new(key.into())),
    )
}

#[tokio::test]
async fn only_the_root_key_that_met_the_database_first_opens_it() {
    let (db, _database) = empty().await;
    assert_eq!(check_canary(&db, &vault(1)).await.unwrap(), Canary::Sealed);
    assert_eq!(check_canary(&db, &vault(1)).await.unwrap(), Canary::Opened);
    assert_eq!(check_canary(&db, &vault(2)).await.unwrap(), Canary::Foreign);
}

#[tokio::test]
async fn each_installation_has_one_name_from_its_canary_on() {
    let ((one, _keep), (other, _too)) = (empty().await, empty().await);
    assert_eq!(identity(&one).await.unwrap(), None);
    check_canary(&one, &vault(1)).await.unwrap();
    check_canary(&other, &vault(2)).await.unwrap();
    let name = identity(&one).await.unwrap();
    assert!(name.as_ref().is_some_and(|name| name.len() == 32));
    check_canary(&one, &vault(1)).await.unwrap();
    assert_eq!(identity(&one).await.unwrap(), name);
    assert_ne!(identity(&other).await.unwrap(), name);
}

#[tokio::test]
async fn canary_is_not_made_where_something_was_sealed() {
    let stage = Stage::new().await;
    assert_eq!(
        check_canary(&stage.db, &stage.vault).await.unwrap(),
        Canary::Foreign
    );
}

#[tokio::test]
async fn of_two_first_starts_with_other_keys_one_is_refused() {
    let (db, _database) = empty().await;
    let (one, other) = (vault(1), vault(2));
    let (one, other) = tokio::join!(check_canary(&db, &one), check_canary(&db, &other));
    let mut found = [one.unwrap(), other.unwrap()];
    found.sort_by_key(|canary| *canary == Canary::Foreign);
    assert_eq!(found, [Canary::Sealed, Canary::Foreign]);
}
