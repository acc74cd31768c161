//! Who may ask for how much, which steps a payout takes, and that what is set aside adds up.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{
    ApprovalFacts, Block, Decision, Details, Facts, OPEN_MAX, Payout, Proof, Refusal, Sent, Status,
    Step, Stepped, Transaction, UNPAID_MAX, Unpaid, Verification, VerificationStatus, Wanted,
    WrongStep, blocked, chain, check_address, normal_hash, paid, request, step,
};
use crate::{
    chains::{EvmAddress, Token},
    clock::{EPOCH, Timestamp},
    ids::{MerchantId, PayoutId, RelationshipId},
    money::{Currency, Money},
    programs::PayoutAsset,
    random::SeededRandom,
    relationships::Status as RelationshipStatus,
    sales::{Earnings, Movement},
};

const ADDRESS: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn hour(count: i64) -> Timestamp {
    EPOCH + TimeDelta::hours(count)
}

fn asset() -> PayoutAsset {
    PayoutAsset {
        asset: "USDC".to_owned(),
        network: "BASE".to_owned(),
    }
}

fn facts() -> Facts {
    Facts {
        status: RelationshipStatus::Active,
        require_verification: true,
        verification: VerificationStatus::Verified,
        min: money(1_000),
        available: money(5_000),
        open: 0,
        unpaid: 0,
        offered: vec![asset()],
        address_since: None,
    }
}

fn wanted(minor: i64) -> Wanted {
    let random = SeededRandom::new(1);
    Wanted {
        id: PayoutId::generate(EPOCH, &random),
        merchant: MerchantId::generate(EPOCH, &random),
        relationship: RelationshipId::generate(EPOCH, &random),
        amount: money(minor),
        to: asset(),
        address: ADDRESS.to_owned(),
        note: None,
    }
}

fn pending(minor: i64) -> Payout {
    request(&facts(), wanted(minor), EPOCH).unwrap()
}

fn approval() -> ApprovalFacts {
    ApprovalFacts {
        require_verification: true,
        verification: VerificationStatus::Verified,
        available: Money::ZERO,
    }
}

fn taken(payout: Payout, what: Step, hours: i64) -> Result<Payout, WrongStep> {
    step(payout, what, hour(hours)).map(|stepped| match stepped {
        Stepped::To(payout, _) | Stepped::Already(payout) => *payout,
    })
}

fn cancel(by_reseller: bool) -> Step {
    Step::Cancel {
        reason: None,
        by_reseller,
    }
}

fn complete(hash: Option<&str>) -> Step {
    Step::Complete {
        tx_hash: hash.map(str::to_owned),
        verified: false,
        asset_amount: None,
    }
}

#[test]
fn payout_is_asked_for_within_what_is_available_and_what_the_program_says() {
    let check = |change: fn(&mut Facts, &mut Wanted)| {
        let (mut facts, mut wanted) = (facts(), wanted(5_000));
        change(&mut facts, &mut wanted);
        request(&facts, wanted, EPOCH).map(|payout| payout.status)
    };
    assert_eq!(check(|_, _| ()), Ok(Status::Pending));
    let out = |min, max| {
        Err(Refusal::OutOfRange {
            min: money(min),
            max: money(max),
        })
    };
    assert_eq!(check(|_, it| it.amount = money(5_001)), out(1_000, 5_000));
    assert_eq!(check(|_, it| it.amount = money(999)), out(1_000, 5_000));
    assert_eq!(check(|it, _| it.available = money(-1)), out(1_000, -1));
    let invited = |it: &mut Facts, _: &mut Wanted| it.status = RelationshipStatus::Invited;
    assert_eq!(
        check(invited),
        Err(Refusal::Inactive(RelationshipStatus::Invited))
    );
    let suspended = |it: &mut Facts, _: &mut Wanted| it.status = RelationshipStatus::Suspended;
    assert_eq!(check(suspended), Ok(Status::Pending));
    let unverified =
        |it: &mut Facts, _: &mut Wanted| it.verification = VerificationStatus::Submitted;
    let refused = Err(Refusal::NotVerified(VerificationStatus::Submitted));
    assert_eq!(check(unverified), refused);
    assert_eq!(check(|it, _| it.offered.clear()), Err(Refusal::NotOffered));
    let lower = |_: &mut Facts, it: &mut Wanted| it.address = ADDRESS.to_lowercase();
    assert_eq!(check(lower), Err(Refusal::BadAddress));
    assert_eq!(check(|it, _| it.open = OPEN_MAX), Err(Refusal::TooMany));
    let often = |it: &mut Facts, _: &mut Wanted| it.unpaid = UNPAID_MAX;
    assert_eq!(check(often), Err(Refusal::TooOften));
    // After the end the rest is paid, however small.
    let ended = |it: &mut Facts, wanted: &mut Wanted| {
        it.status = RelationshipStatus::Terminated;
        wanted.amount = money(1);
    };
    assert_eq!(check(ended), Ok(Status::Pending));
}

#[test]
fn what_blocks_a_request_is_told_before_it_is_made() {
    assert!(blocked(&facts()).is_empty());
    let poor = Facts {
        available: Money::ZERO,
        require_verification: true,
        verification: VerificationStatus::Unverified,
        open: OPEN_MAX,
        offered: Vec::new(),
        ..facts()
    };
    let told = [
        "VERIFICATION_REQUIRED",
        "NO_PAYOUT_ASSETS",
        "BELOW_MINIMUM",
        "NOTHING_AVAILABLE",
        "TOO_MANY_OPEN",
    ];
    assert_eq!(blocked(&poor), told);
}

#[test]
fn new_address_waits_a_day_and_a_known_one_does_not() {
    let now = hour(100);
    for (since, approvable) in [(None, 124), (Some(hour(90)), 114), (Some(hour(1)), 100)] {
        let facts = Facts {
            address_since: since,
            ..facts()
        };
        let payout = request(&facts, wanted(1_000), now).unwrap();
        assert_eq!(payout.approvable_at, hour(approvable));
    }
}

#[test]
fn approval_says_everything_that_stops_it_and_force_passes_it_by() {
    let poor = ApprovalFacts {
        verification: VerificationStatus::Unverified,
        available: money(-300),
        ..approval()
    };
    let blocks = vec![
        Block::NotVerified(VerificationStatus::Unverified),
        Block::Before(hour(24)),
        Block::Above(money(300)),
    ];
    let stopped = taken(pending(1_000), Step::Approve(poor), 1);
    assert_eq!(stopped, Err(WrongStep::Blocked(blocks)));
    let force = || Step::ForceApprove { reason: None };
    let forced = taken(pending(1_000), force(), 1).unwrap();
    assert!(forced.forced && forced.status == Status::Approved);
    let approved = taken(pending(1_000), Step::Approve(approval()), 24).unwrap();
    assert!(!approved.forced && approved.status == Status::Approved);
    assert_eq!(
        taken(approved, force(), 25),
        Err(WrongStep::Status(Status::Approved))
    );
}

#[test]
fn every_step_from_every_status_is_taken_repeated_or_refused() {
    use Status::{Approved, Cancelled, Completed, Pending, Rejected};
    // A step, and where it leads from each status.
    type Row = (fn() -> Step, [Option<Status>; 5]);
    let reject = || Step::Reject { reason: None };
    let steps: [Row; 5] = [
        (
            || Step::Approve(approval()),
            [Some(Approved), Some(Approved), None, None, None],
        ),
        (
            || Step::Reject { reason: None },
            [Some(Rejected), None, None, Some(Rejected), None],
        ),
        (
            || cancel(true),
            [Some(Cancelled), None, None, None, Some(Cancelled)],
        ),
        (
            || cancel(false),
            [
                Some(Cancelled),
                Some(Cancelled),
                None,
                None,
                Some(Cancelled),
            ],
        ),
        (
            || complete(None),
            [None, Some(Completed), Some(Completed), None, None],
        ),
    ];
    let at = |status| {
        let approve = |payout| taken(payout, Step::Approve(approval()), 24).unwrap();
        match status {
            Pending => pending(1_000),
            Approved => approve(pending(1_000)),
            Completed => taken(approve(pending(1_000)), complete(None), 25).unwrap(),
            Rejected => taken(pending(1_000), reject(), 1).unwrap(),
            Cancelled => taken(pending(1_000), cancel(true), 1).unwrap(),
        }
    };
    for (make, ends) in steps {
        for (status, end) in Status::ALL.into_iter().zip(ends) {
            let stepped = taken(at(status), make(), 30);
            let expected = end.ok_or(WrongStep::Status(status));
            assert_eq!(
                stepped.map(|payout| payout.status),
                expected,
                "{:?} at {status:?}",
                make()
            );
        }
    }
}

#[test]
fn completion_with_another_hash_is_refused() {
    let approved = taken(pending(1_000), Step::Approve(approval()), 24).unwrap();
    let paid = taken(approved, complete(Some("0x1")), 25).unwrap();
    assert_eq!(
        taken(paid.clone(), complete(Some("0x1")), 26),
        Ok(paid.clone())
    );
    let other = taken(paid, complete(Some("0x2")), 26);
    assert_eq!(other, Err(WrongStep::Status(Status::Completed)));
}

#[test]
fn verification_is_handed_in_decided_and_reset() {
    let (merchant, relationship) = (wanted(1).merchant, wanted(1).relationship);
    let details = Details {
        legal_name: "Max Ltd".to_owned(),
        country: "DE".to_owned(),
        contact: "max@partner.example".to_owned(),
        evidence_url: None,
    };
    let none = Verification::none(merchant, relationship);
    assert!(none.clone().decided(Decision::Approve, EPOCH).is_err());
    let submitted = none.submitted(details.clone()).unwrap();
    assert!(submitted.clone().submitted(details.clone()).is_err());
    let reject = Decision::Reject {
        reason: Some("Blurred".to_owned()),
    };
    let rejected = submitted
        .clone()
        .decided(reject.clone(), EPOCH)
        .unwrap()
        .unwrap();
    assert_eq!(rejected.reason.as_deref(), Some("Blurred"));
    assert_eq!(rejected.clone().decided(reject, EPOCH), Ok(None));
    assert!(rejected.submitted(details.clone()).is_ok());
    let verified = submitted
        .decided(Decision::Approve, EPOCH)
        .unwrap()
        .unwrap();
    assert_eq!(verified.clone().decided(Decision::Approve, EPOCH), Ok(None));
    assert!(verified.clone().submitted(details).is_err());
    let reset = verified.decided(Decision::Reset { reason: None }, EPOCH);
    assert_eq!(
        reset.unwrap().unwrap().status,
        VerificationStatus::Unverified
    );
}

#[test]
fn addresses_are_checked_by_the_checksum_of_their_network() {
    for (network, address, good) in [
        ("ethereum", ADDRESS, true),
        ("BASE", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", true),
        ("BASE", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d358", false),
        ("BASE", "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", false),
        ("BASE", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", false),
        ("BITCOIN", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", true),
        ("BITCOIN", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", false),
        ("BITCOIN", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", true),
        (
            "BITCOIN",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            true,
        ),
        (
            "BITCOIN",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            true,
        ),
        (
            "BITCOIN",
            "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            false,
        ),
        (
            "BITCOIN",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            false,
        ),
        (
            "BITCOIN",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            true,
        ),
        (
            "LITECOIN",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            false,
        ),
        ("TRON", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", true),
        ("TRON", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", false),
        ("TRON", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", false),
        (
            "SOLANA",
            "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
            true,
        ),
        ("SOLANA", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZw", false),
        ("SOLANA", "0OIl", false),
        ("SEPA", "DE89 3704 0044 0532 0130 00", true),
        ("SEPA", "DE89370400440532013001", false),
        ("SEPA", "GB82WEST12345698765432", true),
        ("PAYPAL", "max@partner.example", true),
        ("PAYPAL", "two words", false),
        ("PAYPAL", "", false),
    ] {
        assert_eq!(
            check_address(network, address).is_ok(),
            good,
            "{network} {address}"
        );
    }
}

#[test]
fn hashes_have_one_form_per_network() {
    let digits = "AB".repeat(32);
    let lower = digits.to_lowercase();
    assert_eq!(normal_hash("BITCOIN", &digits), Some(lower.clone()));
    assert_eq!(
        normal_hash("BASE", &format!("0x{digits}")),
        Some(format!("0x{lower}"))
    );
    assert_eq!(normal_hash("BASE", &digits), None);
    assert_eq!(normal_hash("BITCOIN", "12"), None);
    assert_eq!(
        normal_hash("SEPA", "2026-11-23/7"),
        Some("2026-11-23/7".to_owned())
    );
}

#[test]
fn one_chain_has_one_name_however_it_is_called() {
    for (names, one) in [
        (["eth", "Ethereum", "ERC20"], "ETHEREUM"),
        (["bsc", "BEP20", "BSC"], "BSC"),
        (["tron", "TRC20", "Trc20"], "TRON"),
        (["btc", "BITCOIN", "Btc"], "BITCOIN"),
        (["sol", "SOLANA", "Sol"], "SOLANA"),
        (["base", "BASE", "Base"], "BASE"),
        (["paypal", "PayPal", "PAYPAL"], "PAYPAL"),
    ] {
        assert!(names.into_iter().all(|name| chain(name) == one), "{one}");
    }
    assert_eq!(
        normal_hash("PAYPAL", "AB-12"),
        normal_hash("PAYPAL", "ab-12")
    );
}

#[test]
fn every_word_reads_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
    for status in VerificationStatus::ALL {
        assert_eq!(VerificationStatus::parse(status.name()), Some(status));
    }
}

/// One step of a random life of payouts.
fn any_step() -> impl Strategy<Value = (usize, u8, i64)> {
    (any::<usize>(), 0..7_u8, 1..6_000_i64)
}

proptest! {
    #[test]
    fn what_is_set_aside_and_paid_adds_up_and_is_never_more_than_was_earned(
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let earned = Earnings::default().moved(Movement::Earned(money(9_000))).unwrap();
        let mut earnings = earned.moved(Movement::Approved(money(9_000))).unwrap();
        let mut payouts: Vec<Payout> = Vec::new();
        for (which, what, minor) in steps {
            if what == 0 || payouts.is_empty() {
                let open = payouts.iter().filter(|one| one.status.is_open()).count();
                let facts = Facts {
                    available: earnings.available(),
                    open: u32::try_from(open).unwrap(),
                    min: money(1),
                    ..facts()
                };
                if let Ok(payout) = request(&facts, wanted(minor), EPOCH) {
                    earnings = earnings.moved(Movement::Reserved(payout.amount)).unwrap();
                    payouts.push(payout);
                }
                continue;
            }
            let at = which % payouts.len();
            let facts = ApprovalFacts { available: earnings.available(), ..approval() };
            let what = match what {
                1 | 2 => Step::Approve(facts),
                3 => Step::Reject { reason: None },
                4 => cancel(true),
                5 => cancel(false),
                _ => complete(None),
            };
            if let Ok(Stepped::To(payout, movement)) = step(payouts[at].clone(), what, hour(48)) {
                payouts[at] = *payout;
                if let Some(movement) = movement {
                    earnings = earnings.moved(movement).unwrap();
                }
            }
            let sum = |of: fn(Status) -> bool| -> i64 {
                let of = payouts.iter().filter(|one| of(one.status));
                of.map(|one| one.amount.minor()).sum()
            };
            prop_assert_eq!(earnings.open_payouts.minor(), sum(Status::is_open));
            prop_assert_eq!(earnings.paid_out.minor(), sum(|status| status == Status::Completed));
            prop_assert!(!earnings.available().is_negative());
        }
    }

    #[test]
    fn any_text_is_an_address_or_none(network in 0..7_usize, address in ".{0,140}|[0-9a-zA-Z]{20,70}") {
        let network = ["BITCOIN", "LITECOIN", "BASE", "TRON", "SOLANA", "SEPA", "OTHER"][network];
        let checked = check_address(network, &address);
        if checked.is_ok() {
            prop_assert!(address.is_ascii() && !address.is_empty());
        }
    }

    #[test]
    fn one_changed_letter_makes_no_address(at in 4..34_usize, to in "[1-9A-HJ-NP-Za-km-z]") {
        for (network, address) in [
            ("BITCOIN", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
            ("TRON", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
        ] {
            let changed = format!("{}{to}{}", &address[..at - 1], &address[at..]);
            prop_assert_eq!(check_address(network, &changed).is_ok(), changed == address);
        }
    }
}

fn usdc() -> Token {
    Token {
        network: "base".to_owned(),
        chain_id: 8453,
        contract: EvmAddress::from_bytes([7; 20]),
        decimals: 6,
        confirmations: 12,
    }
}

fn sent(cents: u128) -> Sent {
    Sent {
        contract: usdc().contract,
        to: EvmAddress::parse(ADDRESS).unwrap(),
        units: Some(cents * 10_000),
    }
}

#[test]
fn transaction_pays_what_went_to_the_address_in_the_token_and_is_deep() {
    let check = |succeeded, depth, sent: &[Sent]| {
        let transaction = Transaction {
            succeeded,
            depth,
            sent: sent.to_vec(),
        };
        paid(
            &pending(5_000),
            (&usdc(), Currency::USD),
            Some(&transaction),
        )
    };
    let elsewhere = EvmAddress::from_bytes([9; 20]);
    let stranger = Sent {
        to: elsewhere,
        ..sent(5_000)
    };
    let other = Sent {
        contract: elsewhere,
        ..sent(5_000)
    };
    let all_there_is = Sent {
        units: None,
        ..sent(0)
    };
    let not_final = Unpaid::NotFinal {
        depth: 11,
        confirmations: 12,
    };
    for (succeeded, depth, what, expected) in [
        (true, 12, vec![sent(5_000)], Ok(money(5_000))),
        (
            true,
            12,
            vec![sent(2_000), stranger, sent(3_001)],
            Ok(money(5_001)),
        ),
        (true, 12, vec![all_there_is], Ok(Money::MAX)),
        (false, 12, vec![sent(5_000)], Err(Unpaid::Failed)),
        (true, 12, vec![other], Err(Unpaid::OtherToken)),
        (true, 12, vec![], Err(Unpaid::OtherToken)),
        (true, 12, vec![stranger], Err(Unpaid::OtherRecipient)),
        (
            true,
            12,
            vec![sent(4_999), other],
            Err(Unpaid::Less(money(4_999))),
        ),
        (true, 11, vec![sent(5_000)], Err(not_final)),
    ] {
        assert_eq!(check(succeeded, depth, &what), expected, "{what:?}");
    }
    let none = paid(&pending(5_000), (&usdc(), Currency::USD), None);
    assert_eq!(none, Err(Unpaid::Missing));
}

#[test]
fn only_a_hash_that_was_looked_at_is_proof() {
    let complete = |hash: Option<&str>, verified| Step::Complete {
        tx_hash: hash.map(str::to_owned),
        verified,
        asset_amount: None,
    };
    for (hash, verified, proof) in [
        (Some("0xab"), true, Proof::Verified),
        (Some("0xab"), false, Proof::Unverified),
        (None, true, Proof::None),
        (None, false, Proof::None),
    ] {
        let approved = taken(pending(5_000), Step::Approve(approval()), 24).unwrap();
        let done = taken(approved, complete(hash, verified), 25).unwrap();
        assert_eq!((done.proof(), done.status), (proof, Status::Completed));
    }
}
