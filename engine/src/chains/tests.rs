//! Addresses against what others derive from the same keys.

use super::*;

/// The account `m/44'/60'/0'` of the phrase that every development chain knows ("test test .. junk"), and
/// the first addresses that those chains give money to.
const ACCOUNT: &str = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP";
const FIRST: [&str; 3] = [
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
];

#[test]
fn account_gives_the_addresses_that_its_owners_wallet_has() {
    let account = Account::parse(ACCOUNT).unwrap();
    for (index, expected) in (0..).zip(FIRST) {
        assert_eq!(account.address(index).unwrap().to_string(), expected);
    }
    let last = account.address(INDEX_MAX);
    assert!(last.is_some() && last != account.address(0));
    assert_eq!(account.address(INDEX_MAX + 1), None);
    assert_eq!(account.text(), ACCOUNT);
}

#[test]
fn what_is_no_public_account_is_refused() {
    let wrong_sum = format!("{}u", &ACCOUNT[..ACCOUNT.len() - 1]);
    for text in [
        "",
        "xpub",
        &ACCOUNT[1..],
        &wrong_sum,
        // A private key, which nobody may give away.
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    ] {
        assert!(Account::parse(text).is_none(), "{text}");
    }
}

#[test]
fn address_has_its_checksum_or_is_none() {
    for good in FIRST {
        let address = EvmAddress::parse(good).unwrap();
        assert_eq!(format!("{address:?}"), good);
        assert_eq!(EvmAddress::of_digits(&address.digits()), Some(address));
        assert_eq!(EvmAddress::from_bytes(*address.bytes()), address);
        assert_eq!(EvmAddress::parse(&good.to_lowercase()), None);
        assert_eq!(EvmAddress::parse(&good[2..]), None);
    }
    assert_eq!(EvmAddress::of_digits("f39Fd6"), None);
}
