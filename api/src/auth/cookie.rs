//! The cookie that carries a session: made, read, taken away.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use engine::{persons::AGE_MAX_HOURS, random::Random, vault::Opened};
use sha2::{Digest as _, Sha256};

const VALUE_LEN: usize = 32;
const NAME_TLS: &str = "__Host-consign";
/// Where there is no TLS a browser keeps no `__Host-` cookie.
const NAME_PLAIN: &str = "consign_session";

/// What a browser has of a session, or somebody of a mailed link: 256 random bits. Stored is a digest.
#[derive(Clone)]
pub(crate) struct Token(Opened);

impl Token {
    pub(crate) fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; VALUE_LEN];
        random.fill(&mut bytes);
        Self(Opened::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token; `None` if it is not of the form that is made here.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == VALUE_LEN).then(|| Self(Opened::new(text)))
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose()).into()
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The session that a request carries; none if there is none, or more than one.
pub(crate) fn read(headers: &HeaderMap, tls: bool) -> Option<Token> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines.flat_map(|line| line.to_str().unwrap_or_default().split(';'));
    let mut own = pairs.filter_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name(tls)).then_some(value)
    });
    let value = own.next()?;
    own.next().is_none().then(|| Token::parse(value))?
}

/// Whether a request carries anything under the name of a session.
pub(crate) fn is_sent(headers: &HeaderMap, tls: bool) -> bool {
    let lines = headers.get_all(header::COOKIE).iter();
    let mut pairs = lines.flat_map(|line| line.to_str().unwrap_or_default().split(';'));
    pairs.any(|pair| pair.trim().split('=').next() == Some(name(tls)))
}

/// The header that gives a browser its session.
pub(crate) fn set(token: &Token, tls: bool) -> HeaderValue {
    written(token.expose(), AGE_MAX_HOURS * 3600, tls)
}

/// The header that takes it away.
pub(crate) fn clear(tls: bool) -> HeaderValue {
    written("", 0, tls)
}

fn written(value: &str, seconds: i64, tls: bool) -> HeaderValue {
    let (name, secure) = (name(tls), if tls { "; Secure" } else { "" });
    let text = format!("{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::try_from(text).expect("a token is a header value");
    header.set_sensitive(true);
    header
}

const fn name(tls: bool) -> &'static str {
    if tls { NAME_TLS } else { NAME_PLAIN }
}

#[cfg(test)]
mod tests {
    use engine::random::SeededRandom;

    use super::*;

    fn sent(lines: &[&str]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|line| (header::COOKIE, line.parse().unwrap()));
        lines.collect()
    }

    #[test]
    fn session_is_read_from_among_other_cookies() {
        let token = Token::generate(&SeededRandom::new(1));
        let own = format!("a=b; __Host-consign={}; c=d", token.expose());
        let read_of =
            |lines: &[&str], tls| read(&sent(lines), tls).map(|token| token.expose().to_owned());
        assert_eq!(read_of(&[&own], true).as_deref(), Some(token.expose()));
        assert_eq!(
            read_of(&["x=y", &own], true).as_deref(),
            Some(token.expose())
        );
        assert_eq!(read_of(&[&own], false), None);
        assert_eq!(read_of(&[&own, &own], true), None);
        assert_eq!(read_of(&["__Host-consign=short"], true), None);
        assert!(is_sent(&sent(&["__Host-consign=short"]), true));
        assert!(!is_sent(&sent(&["consign_session=short"]), true));
    }

    #[test]
    fn cookie_is_for_this_host_and_no_script() {
        let token = Token::generate(&SeededRandom::new(1));
        let value = set(&token, true);
        let text = value.to_str().unwrap();
        let (pair, attributes) = text.split_once("; ").unwrap();
        assert_eq!(pair, format!("__Host-consign={}", token.expose()));
        assert_eq!(
            attributes,
            "Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(value.is_sensitive());
        assert_eq!(
            clear(false),
            "consign_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
        );
    }
}
