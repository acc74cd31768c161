//! Where load may be sent.
//!
//! Keeps: loopback addresses only. A load generator pointed at somebody else's machine is an
//! attack, so anything that is not visibly this machine is refused before a byte is sent.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};

/// The address behind `http://127.0.0.1:8080` and its like; names are not resolved.
pub(crate) fn parse(url: &str) -> anyhow::Result<SocketAddr> {
    let rest = url
        .strip_prefix("http://")
        .with_context(|| format!("`{url}` is not a plain http address"))?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let authority = authority.replace("localhost", "127.0.0.1");
    let address: SocketAddr = authority
        .parse()
        .with_context(|| format!("`{authority}` is not an address with a port"))?;
    ensure!(
        address.ip().is_loopback(),
        "`{address}` is not loopback: load is sent to this machine only"
    );
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_accepted() {
        assert_eq!(parse("http://127.0.0.1:8080").unwrap().port(), 8080);
        assert_eq!(parse("http://localhost:81/reseller").unwrap().port(), 81);
        assert_eq!(parse("http://[::1]:82").unwrap().port(), 82);
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "http://10.0.0.1:80",
            "http://example.com:80",
            "https://127.0.0.1:80",
            "http://127.0.0.1",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
