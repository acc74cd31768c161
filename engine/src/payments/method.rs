//! How a merchant takes money: by coin, with what whoever pays has to know.

use std::fmt;

use super::{Deposits, Store};

/// Methods of one merchant.
pub const METHODS_MAX: usize = 20;
pub const COIN_CHARS_MAX: usize = 32;

/// What invoices are paid in: a short name in upper case, such as `USDT-TRC20` or `BANK`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coin(String);

impl Coin {
    /// Letters, digits, `-` and `_`, in any case; none otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let known = (1..=COIN_CHARS_MAX).contains(&text.len()) && text.bytes().all(fits);
        known.then(|| Self(text.to_ascii_uppercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which world an invoice is paid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// Somewhere that only the merchant sees: the merchant says what arrived.
    Manual,
    /// A chain that is watched: whoever pays sends tokens to an address of the invoice.
    EvmErc20,
    /// A BTCPay Server of the merchant's own, which shows the invoice and is asked what arrived.
    Btcpay,
}

impl ProviderKind {
    pub const ALL: [Self; 3] = [Self::Manual, Self::EvmErc20, Self::Btcpay];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::EvmErc20 => "evm_erc20",
            Self::Btcpay => "btcpay",
        }
    }

    /// In any case.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// Whether an invoice takes one payment: what is said of it a second time must be the same.
    pub const fn pays_once(self) -> bool {
        match self {
            Self::Manual => true,
            Self::EvmErc20 | Self::Btcpay => false,
        }
    }
}

/// What of a method is its provider's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Manual,
    EvmErc20(Box<Deposits>),
    Btcpay(Box<Store>),
}

/// A coin that a merchant takes, or took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    pub coin: Coin,
    pub enabled: bool,
    /// What whoever pays is told; nothing, where a provider says all that is to be known.
    pub instructions: String,
    pub access: Access,
}

impl Method {
    pub const fn provider(&self) -> ProviderKind {
        match self.access {
            Access::Manual => ProviderKind::Manual,
            Access::EvmErc20(_) => ProviderKind::EvmErc20,
            Access::Btcpay(_) => ProviderKind::Btcpay,
        }
    }
}
