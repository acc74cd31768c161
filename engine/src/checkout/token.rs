//! The words in the addresses of a customer's own pages.
//!
//! Keeps: a token is 256 bits that follow from the root key and an id, so that a mail that is written again
//! names the same page; stored is only its digest.

use std::{fmt::Write as _, net::IpAddr};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::vault::{Opened, Vault};

const TOKEN_CHARS: usize = 64;

/// Which page a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Checkout,
    Invoice,
    Delivery,
}

impl Page {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Checkout => b"checkout",
            Self::Invoice => b"invoice",
            Self::Delivery => b"delivery",
        }
    }
}

/// The token of the page of the thing with this id.
pub fn token(vault: &Vault, page: Page, id: Uuid) -> Opened {
    let mac = vault.page_mac(&[page.label(), id.as_bytes()]);
    let text = mac
        .iter()
        .fold(String::with_capacity(TOKEN_CHARS), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string");
            text
        });
    Opened::new(text)
}

/// What is stored of a token. A text of another form has none: it opens nothing.
pub fn digest(token: &str) -> Option<[u8; 32]> {
    let fits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let known = token.len() == TOKEN_CHARS && token.bytes().all(fits);
    known.then(|| Sha256::digest(token).into())
}

/// What an address is known by that opens invoices.
pub fn address_digest(vault: &Vault, address: IpAddr) -> [u8; 16] {
    vault.link_mac(&[b"checkout address", address.to_string().as_bytes()])
}
