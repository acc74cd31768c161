//! Where events may be sent: to public addresses by https, and to nothing behind our own walls.
//!
//! Keeps: what is connected to is the very address that was checked: names are resolved here, and of a
//! name with one address that is not public none is used. Checked when a webhook is made and at every
//! attempt, so a name that means something else later opens no door.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _},
    time::Duration,
};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::{task::spawn_blocking, time::timeout};

use super::turns::{self, Turn};

const URL_BYTES_MAX: usize = 2048;
const HTTPS_PORT: u16 = 443;
/// A name that takes longer has no address.
const LOOK_UP_MAX: Duration = Duration::from_secs(2);

/// Blocks of IPv4 that are not of the public internet, or of no single host there.
const REFUSED_V4: [(Ipv4Addr, u8); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];
/// All of the public internet's IPv6 that there is.
const PUBLIC_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Blocks in it that are not: protocols' own (Teredo, ORCHID), documentation, 6to4. NAT64 and addresses
/// of IPv4 in IPv6's form lie outside of it.
const REFUSED_V6: [(Ipv6Addr, u8); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// What is allowed besides public addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// This machine, without TLS and on any port.
    pub(crate) local: bool,
}

/// Why nothing is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Malformed,
    Scheme,
    Credentials,
    Port,
    /// No name that has an address.
    Unknown,
    Address,
    /// Too many names are being resolved: that says nothing of the address.
    Busy,
}

impl Refused {
    /// What is said of the field that has the address.
    pub(crate) const fn says(self) -> &'static str {
        match self {
            Self::Malformed => {
                "must be an address such as https://shop.example/hook, without a fragment"
            }
            Self::Scheme => "must begin with https://",
            Self::Credentials => "must have no user name and no password",
            Self::Port => "must be on port 443",
            Self::Busy => "could not be looked up now",
            // One text, so that nobody learns which names we know and others do not.
            Self::Unknown | Self::Address => "must lead to public addresses only",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.says())
    }
}

impl std::error::Error for Refused {}

/// What a URL is by itself: of the right form, and of no address that is refused.
pub(crate) fn check(text: &str, rules: Rules) -> Result<Url, Refused> {
    let printable = text.len() <= URL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(text).ok().filter(|_| printable);
    let url = url.ok_or(Refused::Malformed)?;
    match url.scheme() {
        "https" => {}
        "http" if rules.local => {}
        _ => return Err(Refused::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Credentials);
    }
    if url.fragment().is_some() || url.host_str().is_none_or(str::is_empty) {
        return Err(Refused::Malformed);
    }
    if !rules.local && url.port_or_known_default() != Some(HTTPS_PORT) {
        return Err(Refused::Port);
    }
    match literal(&url) {
        Some(address) if !rules.allow(address) => Err(Refused::Address),
        Some(_) | None => Ok(url),
    }
}

/// The same, and that its name has public addresses now.
pub(crate) async fn check_resolved(text: &str, rules: Rules) -> Result<Url, Refused> {
    let url = check(text, rules)?;
    if literal(&url).is_none() {
        let turn = turns::written().ok_or(Refused::Busy)?;
        resolve(url.host_str().unwrap_or_default(), turn, rules).await?;
    }
    Ok(url)
}

/// The address that a URL names instead of a host.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_matches(['[', ']']).parse().ok()
}

/// All addresses of a name, or none of them.
async fn resolve(host: &str, turn: Turn, rules: Rules) -> Result<Vec<SocketAddr>, Refused> {
    let host = host.to_owned();
    let looking = spawn_blocking(move || {
        let found = (host.as_str(), 0).to_socket_addrs();
        drop(turn);
        found.map(Iterator::collect)
    });
    // The thread goes on, and its turn ends with it.
    let found = timeout(LOOK_UP_MAX, looking).await.ok();
    let found = found.and_then(Result::ok).and_then(Result::ok);
    all_allowed(found.ok_or(Refused::Unknown)?, rules)
}

fn all_allowed(found: Vec<SocketAddr>, rules: Rules) -> Result<Vec<SocketAddr>, Refused> {
    if found.is_empty() {
        return Err(Refused::Unknown);
    }
    if found.iter().all(|address| rules.allow(address.ip())) {
        Ok(found)
    } else {
        Err(Refused::Address)
    }
}

impl Rules {
    fn allow(self, address: IpAddr) -> bool {
        is_public(address) || self.local && address.is_loopback()
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !REFUSED_V4
            .iter()
            .any(|(base, bits)| Ipv4Net::new(*base, *bits).is_ok_and(|net| net.contains(&address))),
        IpAddr::V6(address) => {
            let within = |(base, bits): &(Ipv6Addr, u8)| {
                Ipv6Net::new(*base, *bits).is_ok_and(|net| net.contains(&address))
            };
            within(&PUBLIC_V6) && !REFUSED_V6.iter().any(within)
        }
    }
}

/// Resolves for the client: it connects to what this gives, and to nothing else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard(pub(super) Rules);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0;
        Box::pin(async move {
            let turn = turns::sent(name.as_str()).await.ok_or(Refused::Busy)?;
            let found = resolve(name.as_str(), turn, rules).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PUBLIC: Rules = Rules { local: false };
    const LOCAL: Rules = Rules { local: true };

    #[test]
    fn only_https_to_public_addresses_is_allowed() {
        use Refused::{Address, Credentials, Malformed, Port, Scheme};
        for (url, expected) in [
            ("https://shop.example/hook?shop=1", None),
            ("https://shop.example:443/", None),
            ("https://93.184.215.14/", None),
            ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", None),
            ("http://shop.example/", Some(Scheme)),
            ("ftp://shop.example/", Some(Scheme)),
            ("file:///etc/passwd", Some(Scheme)),
            ("gopher://127.0.0.1/", Some(Scheme)),
            ("shop.example/hook", Some(Malformed)),
            ("https://", Some(Malformed)),
            ("https://shop.example/#part", Some(Malformed)),
            ("https://shop.example/a b", Some(Malformed)),
            ("https://shop.example/\r\nx: y", Some(Malformed)),
            ("https://user@shop.example/", Some(Credentials)),
            ("https://:secret@shop.example/", Some(Credentials)),
            ("https://shop.example:8443/", Some(Port)),
            ("https://shop.example:80/", Some(Port)),
            ("https://127.0.0.1/", Some(Address)),
            ("https://127.1/", Some(Address)),
            ("https://2130706433/", Some(Address)),
            ("https://0x7f.0.0.1/", Some(Address)),
            ("https://0177.0.0.1/", Some(Address)),
            ("https://0/", Some(Address)),
            ("https://10.1.2.3/", Some(Address)),
            ("https://172.31.255.255/", Some(Address)),
            ("https://192.168.0.1/", Some(Address)),
            ("https://100.64.0.1/", Some(Address)),
            ("https://169.254.169.254/latest/meta-data/", Some(Address)),
            ("https://198.18.0.1/", Some(Address)),
            ("https://224.0.0.1/", Some(Address)),
            ("https://255.255.255.255/", Some(Address)),
            ("https://[::1]/", Some(Address)),
            ("https://[::]/", Some(Address)),
            ("https://[::ffff:127.0.0.1]/", Some(Address)),
            ("https://[::ffff:93.184.215.14]/", Some(Address)),
            ("https://[::7f00:1]/", Some(Address)),
            ("https://[64:ff9b::7f00:1]/", Some(Address)),
            ("https://[64:ff9b:1::1]/", Some(Address)),
            ("https://[2002:7f00:1::]/", Some(Address)),
            ("https://[2001:0:1::1]/", Some(Address)),
            ("https://[2001:db8::1]/", Some(Address)),
            ("https://[fc00::1]/", Some(Address)),
            ("https://[fe80::1]/", Some(Address)),
            ("https://[fec0::1]/", Some(Address)),
            ("https://[ff02::1]/", Some(Address)),
        ] {
            assert_eq!(check(url, PUBLIC).err(), expected, "{url}");
        }
        let long = format!("https://shop.example/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(check(&long, PUBLIC).err(), Some(Malformed));
    }

    #[test]
    fn this_machine_is_allowed_for_development_and_no_other_private_one() {
        for url in [
            "http://127.0.0.1:8080/",
            "http://[::1]:9/",
            "http://localhost:3000/x",
        ] {
            assert!(check(url, LOCAL).is_ok(), "{url}");
        }
        for url in [
            "http://10.0.0.1/",
            "http://169.254.169.254/",
            "http://[fe80::1]/",
        ] {
            assert_eq!(check(url, LOCAL).err(), Some(Refused::Address), "{url}");
        }
    }

    #[test]
    fn name_with_one_address_that_is_not_public_is_not_used_at_all() {
        let good: SocketAddr = "93.184.215.14:0".parse().unwrap();
        let bad: SocketAddr = "10.0.0.1:0".parse().unwrap();
        assert_eq!(all_allowed(vec![good], PUBLIC), Ok(vec![good]));
        assert_eq!(all_allowed(vec![good, bad], PUBLIC), Err(Refused::Address));
        assert_eq!(all_allowed(vec![], PUBLIC), Err(Refused::Unknown));
    }

    #[test]
    fn names_that_we_know_are_not_told_from_others() {
        assert_eq!(Refused::Unknown.says(), Refused::Address.says());
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_may_not_resolve_is_none() {
        let mut taken = Vec::new();
        while let Some(turn) = turns::sent("busy.test").await {
            taken.push(turn);
        }
        let name: Name = "busy.test".parse().unwrap();
        let refused = Guard(LOCAL).resolve(name).await.err().unwrap();
        assert_eq!(refused.downcast_ref(), Some(&Refused::Busy));
    }

    #[tokio::test]
    async fn name_of_this_machine_is_refused_when_it_is_resolved() {
        let url = "https://localhost/";
        let refused = check_resolved(url, PUBLIC).await.err();
        assert_eq!(refused, Some(Refused::Address));
        assert!(check_resolved(url, LOCAL).await.is_ok());
        let name: Name = "localhost".parse().unwrap();
        let refused = Guard(PUBLIC).resolve(name).await.err().unwrap();
        assert_eq!(refused.downcast_ref(), Some(&Refused::Address));
    }

    proptest! {
        #[test]
        fn no_private_address_is_public_in_any_form(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_unspecified() || v4.is_documentation() {
                prop_assert!(!is_public(v4.into()));
            }
            let [a, b] = [bits >> 16, bits & 0xffff].map(|half| u16::try_from(half).unwrap());
            for inside in [
                v4.to_ipv6_mapped(),
                v4.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, a, b, 0, 0, a, b),
            ] {
                prop_assert!(!is_public(inside.into()), "{inside}");
            }
        }

        #[test]
        fn v6_that_is_local_is_never_public(bits: u128) {
            let v6 = Ipv6Addr::from(bits);
            if v6.is_loopback() || v6.is_multicast() || v6.is_unique_local()
                || v6.is_unicast_link_local() || v6.is_unspecified() {
                prop_assert!(!is_public(v6.into()));
            }
        }

        #[test]
        fn any_text_is_an_address_that_is_allowed_or_refused(text in "(https?://)?.{0,80}") {
            if let Ok(url) = check(&text, PUBLIC) {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(literal(&url).is_none_or(is_public));
            }
        }
    }
}
