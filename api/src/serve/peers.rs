//! How many connections each address has open.
//!
//! Keeps: one address takes at most its part of all connections, a whole /64 of IPv6 counting as one;
//! trusted proxies bring many callers and are exempt. Only addresses with connections are remembered.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;

use crate::layers::address::network;

/// The open connections, by address.
#[derive(Debug)]
pub(super) struct Peers {
    open: Mutex<HashMap<IpAddr, usize>>,
    max: usize,
    exempt: Vec<IpNet>,
}

/// The place of an open connection.
#[derive(Debug)]
pub(super) struct Place(Option<(Arc<Peers>, IpAddr)>);

impl Peers {
    pub(super) fn new(max: usize, exempt: Vec<IpNet>) -> Arc<Self> {
        let open = Mutex::default();
        Arc::new(Self { open, max, exempt })
    }

    /// A place for one more connection of this peer, if it has not too many.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let address = peer.to_canonical();
        if self.exempt.iter().any(|net| net.contains(&address)) {
            return Some(Place(None));
        }
        let network = network(address);
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.entry(network).or_default();
        if *open >= self.max {
            return None;
        }
        *open += 1;
        Some(Place(Some((Arc::clone(self), network))))
    }

    fn leave(&self, network: IpAddr) {
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = all.get_mut(&network) else {
            return;
        };
        *open -= 1;
        if *open == 0 {
            all.remove(&network);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((peers, network)) = self.0.take() {
            peers.leave(network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_part_of_the_connections_and_gets_it_back() {
        let peers = Peers::new(2, Vec::new());
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        let places = [(); 2].map(|()| peers.enter(one).unwrap());
        assert!(peers.enter(one).is_none());
        assert!(peers.enter(address("::ffff:192.0.2.1")).is_none());
        assert!(peers.enter(other).is_some());
        drop(places);
        assert!(peers.open.lock().unwrap().is_empty());
        assert!(peers.enter(one).is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let peers = Peers::new(1, Vec::new());
        let _place = peers.enter(address("2001:db8::1")).unwrap();
        assert!(peers.enter(address("2001:db8::2")).is_none());
        assert!(peers.enter(address("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn trusted_proxies_bring_as_many_as_come() {
        let peers = Peers::new(1, vec!["10.0.0.0/8".parse().unwrap()]);
        let places: Vec<_> = (0..3).map(|_| peers.enter(address("10.1.2.3"))).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
