//! Numbers in the fifty-eight letters that cannot be mistaken for each other.

const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// No address, hash or account is longer; each letter costs a pass over what was read.
const CHARS_MAX: usize = 112;

/// The bytes that a text stands for; a leading 1 is a leading zero.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > CHARS_MAX {
        return None;
    }
    // Least significant first.
    let mut bytes: Vec<u8> = Vec::new();
    for letter in text.bytes() {
        let mut carry = LETTERS.iter().position(|known| *known == letter)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry % 256).expect("below 256");
            carry /= 256;
        }
        while carry > 0 {
            bytes.push(u8::try_from(carry % 256).expect("below 256"));
            carry /= 256;
        }
    }
    let zeros = text.bytes().take_while(|letter| *letter == b'1').count();
    bytes.extend(std::iter::repeat_n(0, zeros));
    bytes.reverse();
    Some(bytes)
}
