//! An account as its owner exports it to watch it: a public key from which addresses are derived (BIP 32).
//!
//! Keeps: only steps that need no private key are taken, so whoever has all of this can spend nothing.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use k256::{AffinePoint, NonZeroScalar, PublicKey, elliptic_curve::sec1::ToSec1Point as _};
use sha2::{Digest as _, Sha256, Sha512};

use super::{EvmAddress, base58};

/// The last index of an address: those beyond need the private key.
pub const INDEX_MAX: u32 = 0x7fff_ffff;
/// What an exported public key begins with, in every wallet of Ethereum.
const VERSION: [u8; 4] = [0x04, 0x88, 0xb2, 0x1e];
/// Version, depth, parent, number; then the chain code and the key.
const HEAD_BYTES: usize = 13;
const BYTES: usize = 78;
/// The branch of an account that is shown to payers.
const RECEIVING: u32 = 0;

/// See the module.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    text: String,
    node: Node,
}

/// A public key, and what its children are made with.
#[derive(Clone, PartialEq, Eq)]
struct Node {
    chain_code: [u8; 32],
    key: PublicKey,
}

impl Account {
    /// Reads an `xpub`; none if it is no such, or holds a private key.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base58::decode(text)?;
        let (payload, sum) = bytes.split_last_chunk::<4>()?;
        let digest = Sha256::digest(Sha256::digest(payload));
        if payload.len() != BYTES || digest[..4] != sum[..] || !payload.starts_with(&VERSION) {
            return None;
        }
        let (chain_code, key) = payload[HEAD_BYTES..].split_first_chunk()?;
        let node = Node {
            chain_code: *chain_code,
            key: PublicKey::from_sec1_bytes(key).ok()?,
        };
        let account = Self {
            text: text.to_owned(),
            node,
        };
        account.receiving().is_some().then_some(account)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What two texts of one account have in common, and those of two accounts do not.
    pub fn digest(&self) -> [u8; 32] {
        let node = &self.node;
        let digest = Sha256::new()
            .chain_update(node.chain_code)
            .chain_update(node.key.to_sec1_point(true));
        digest.finalize().into()
    }

    /// The address with this index, up to [`INDEX_MAX`], on the branch for payers: `0/index`. None for an
    /// index that has none, which is one of more than there are atoms.
    pub fn address(&self, index: u32) -> Option<EvmAddress> {
        let key = self.receiving()?.child(index)?.key;
        let point = key.to_sec1_point(false);
        let coordinates = point.as_bytes().last_chunk()?;
        Some(EvmAddress::of_key(coordinates))
    }

    fn receiving(&self) -> Option<Node> {
        self.node.child(RECEIVING)
    }
}

impl Node {
    fn child(&self, index: u32) -> Option<Self> {
        if index > INDEX_MAX {
            return None;
        }
        let mut mac = Hmac::<Sha512>::new_from_slice(&self.chain_code).ok()?;
        mac.update(self.key.to_sec1_point(true).as_bytes());
        mac.update(&index.to_be_bytes());
        let made: [u8; 64] = mac.finalize().into_bytes().into();
        let (tweak, chain_code) = made.split_first_chunk::<32>()?;
        let tweak = Option::<NonZeroScalar>::from(NonZeroScalar::from_repr((*tweak).into()))?;
        let point = self.key.to_projective() + AffinePoint::GENERATOR * *tweak;
        Some(Self {
            chain_code: chain_code.try_into().ok()?,
            key: PublicKey::from_affine(point.into()).ok()?,
        })
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second chain of BIP 32's own first test: the public child of a public key.
    #[test]
    fn children_are_those_of_the_standard() {
        const PARENT: &str = "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw";
        const CHILD: &str = "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ";
        let [parent, child] = [PARENT, CHILD].map(|text| Account::parse(text).unwrap());
        assert!(parent.node.child(1) == Some(child.node.clone()));
        assert!(parent.node.child(2) != Some(child.node));
    }
}
