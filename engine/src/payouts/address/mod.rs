//! Where a payout is sent: an address as its network writes it, with the network's own checksum.
//!
//! Keeps: a slip of the pen is no address. Networks that are not known here take any text of one word.

mod bech32;
mod iban;

use sha2::{Digest as _, Sha256};

use crate::chains::{EvmAddress, base58};

/// Longest address or hash, in characters.
const CHARS_MAX: usize = 128;

/// The text is no address of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadAddress;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Bitcoin,
    Litecoin,
    /// Ethereum, and what writes addresses as it does.
    Evm,
    Tron,
    Solana,
    Bank,
    Other,
}

fn family(network: &str) -> Family {
    match network.to_ascii_uppercase().as_str() {
        "BITCOIN" | "BTC" => Family::Bitcoin,
        "LITECOIN" | "LTC" => Family::Litecoin,
        "ETHEREUM" | "ETH" | "ERC20" | "BASE" | "POLYGON" | "ARBITRUM" | "OPTIMISM" | "BSC"
        | "BEP20" | "AVALANCHE" => Family::Evm,
        "TRON" | "TRC20" => Family::Tron,
        "SOLANA" | "SOL" => Family::Solana,
        "SEPA" | "IBAN" => Family::Bank,
        _ => Family::Other,
    }
}

/// Whether a text is an address of this network.
pub fn check_address(network: &str, address: &str) -> Result<(), BadAddress> {
    let good = match family(network) {
        Family::Bitcoin => checked58(address, &[0x00, 0x05]) || bech32::is_address(address, "bc"),
        Family::Litecoin => checked58(address, &[0x30, 0x32]) || bech32::is_address(address, "ltc"),
        Family::Evm => EvmAddress::parse(address).is_some(),
        Family::Tron => checked58(address, &[0x41]),
        Family::Solana => base58::decode(address).is_some_and(|bytes| bytes.len() == 32),
        Family::Bank => iban::is_iban(address),
        Family::Other => is_word(address),
    };
    good.then_some(()).ok_or(BadAddress)
}

/// The one name of a network that goes by several: a transaction is one under all of them.
pub fn chain(network: &str) -> String {
    let upper = network.to_ascii_uppercase();
    let one = match upper.as_str() {
        "BTC" => "BITCOIN",
        "LTC" => "LITECOIN",
        "ETH" | "ERC20" => "ETHEREUM",
        "BEP20" => "BSC",
        "TRC20" => "TRON",
        "SOL" => "SOLANA",
        "IBAN" => "SEPA",
        _ => return upper,
    };
    one.to_owned()
}

/// The hash of a transaction in the one form in which two are compared; none if this network has no such.
pub fn normal_hash(network: &str, hash: &str) -> Option<String> {
    let hex = |text: &str| {
        let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| text.to_ascii_lowercase())
    };
    match family(network) {
        Family::Bitcoin | Family::Litecoin | Family::Tron => hex(hash),
        Family::Evm => hex(hash.strip_prefix("0x")?).map(|digits| format!("0x{digits}")),
        Family::Solana => {
            let bytes = base58::decode(hash)?;
            (bytes.len() == 64).then(|| hash.to_owned())
        }
        // Whether case means anything is not known: two that differ by it are taken for one.
        Family::Bank | Family::Other => is_word(hash).then(|| hash.to_ascii_lowercase()),
    }
}

fn is_word(text: &str) -> bool {
    (4..=CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Version, twenty bytes, and the first four bytes of the digest over both.
fn checked58(address: &str, versions: &[u8]) -> bool {
    let Some(bytes) = base58::decode(address) else {
        return false;
    };
    let Some((payload, sum)) = bytes.split_last_chunk::<4>() else {
        return false;
    };
    let digest = Sha256::digest(Sha256::digest(payload));
    payload.len() == 21 && versions.contains(&payload[0]) && digest[..4] == sum[..]
}
