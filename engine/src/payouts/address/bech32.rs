//! Addresses of witness programs: bech32 (BIP 173) for version 0, bech32m (BIP 350) above.

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHARS_MAX: usize = 90;
const SUM_LEN: usize = 6;
/// What the checksum of each form leaves.
const BECH32: u32 = 1;
const BECH32M: u32 = 0x2bc8_30a3;
const GENERATOR: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];

/// Whether a text is the address of a witness program under this prefix.
pub(super) fn is_address(text: &str, prefix: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let one_case = lower == text || text.to_ascii_uppercase() == text;
    if !one_case || text.len() > CHARS_MAX {
        return false;
    }
    let Some(letters) = lower
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('1'))
    else {
        return false;
    };
    let values = letters.bytes().map(|letter| {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        u8::try_from(value).ok()
    });
    let Some(values) = values.collect::<Option<Vec<u8>>>() else {
        return false;
    };
    let Some((&version, rest)) = values.split_first() else {
        return false;
    };
    let Some(program) = rest.len().checked_sub(SUM_LEN).map(|end| &rest[..end]) else {
        return false;
    };
    let expected = if version == 0 { BECH32 } else { BECH32M };
    version <= 16 && polymod(prefix, &values) == expected && is_program(version, program)
}

fn polymod(prefix: &str, values: &[u8]) -> u32 {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    let all = high.chain([0]).chain(low).chain(values.iter().copied());
    all.fold(1, |sum: u32, value| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        let bits = GENERATOR.iter().enumerate();
        bits.fold(next, |next, (at, part)| {
            if top >> at & 1 == 1 {
                next ^ part
            } else {
                next
            }
        })
    })
}

/// Groups of five bits that make whole bytes, with less than five zero bits left over.
fn is_program(version: u8, groups: &[u8]) -> bool {
    let bits = groups.len() * 5;
    let (bytes, left) = (bits / 8, bits % 8);
    let last = groups.last().copied().unwrap_or_default();
    let padded = left < 5 && last & ((1 << left) - 1) == 0;
    let fits = match version {
        0 => bytes == 20 || bytes == 32,
        _ => (2..=40).contains(&bytes),
    };
    padded && fits
}
