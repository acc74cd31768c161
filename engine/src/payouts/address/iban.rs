//! Numbers of bank accounts: ISO 13616, whose rest by 97 is one.

/// Whether a text, spaces aside, is such a number.
pub(super) fn is_iban(text: &str) -> bool {
    let letters: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let written = letters
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !written || !(15..=34).contains(&letters.len()) {
        return false;
    }
    let (head, account) = letters.split_at(4);
    let country = head[..2].iter().all(u8::is_ascii_uppercase);
    let digits = head[2..].iter().all(u8::is_ascii_digit);
    let rest = account.iter().chain(head).fold(0_u32, |rest, byte| {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            letter => u32::from(letter - b'A') + 10,
        };
        let shift = if value < 10 { 10 } else { 100 };
        (rest * shift + value) % 97
    });
    country && digits && rest == 1
}
