//! What is asked of a node of a chain, by JSON-RPC: heads, blocks, transfers of tokens, receipts.
//!
//! Keeps: an answer that is not whole, in time and of the right form is none; the address of the node is
//! told to nobody.

use std::{fmt, time::Duration};

use anyhow::Context as _;
use engine::{chains::EvmAddress, payments::Unavailable};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// `Transfer(address,address,uint256)`, as every token tells it.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// `decimals()`.
const DECIMALS: &str = "0x313ce567";
const CALL_MAX: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Addresses that one question is about.
const ADDRESSES_AT_ONCE: usize = 500;

/// See the module.
pub(crate) struct Node {
    http: reqwest::Client,
    url: Url,
    blocks_at_once: u64,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Node")
    }
}

/// Tokens that went to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) contract: EvmAddress,
    pub(super) to: EvmAddress,
    /// None beyond all that there is of any token.
    pub(super) units: Option<u128>,
    pub(super) block: u64,
    pub(super) block_hash: String,
    pub(super) transaction: String,
    /// Its place in the block.
    pub(super) index: u64,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) succeeded: bool,
    pub(super) block: u64,
    pub(super) block_hash: String,
    pub(super) transfers: Vec<Transfer>,
    /// Places in the block of all that the transaction told.
    pub(super) indexes: Vec<u64>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    error: Option<Complaint>,
}

#[derive(Deserialize)]
struct Complaint {
    code: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLog {
    address: String,
    topics: Vec<String>,
    data: String,
    block_number: Option<String>,
    block_hash: Option<String>,
    transaction_hash: Option<String>,
    log_index: Option<String>,
    #[serde(default)]
    removed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReceipt {
    status: Option<String>,
    block_number: String,
    block_hash: String,
    logs: Vec<RawLog>,
}

#[derive(Deserialize)]
struct RawBlock {
    hash: String,
}

impl Node {
    pub(super) fn new(url: Url, blocks_at_once: u64) -> anyhow::Result<Self> {
        // Installed already if another part of the process did: one provider is as good as the other.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .timeout(CALL_MAX)
            .build()
            .context("making the client that asks nodes")?;
        Ok(Self {
            http,
            url,
            blocks_at_once,
        })
    }

    pub(super) async fn chain_id(&self) -> Result<u64, Unavailable> {
        let id: String = self.ask("eth_chainId", &json!([])).await?;
        number(&id)
    }

    /// The number of the last block.
    pub(super) async fn head(&self) -> Result<u64, Unavailable> {
        let head: String = self.ask("eth_blockNumber", &json!([])).await?;
        number(&head)
    }

    /// The hash of the block that has this number now; none if there is none yet.
    pub(super) async fn block_hash(&self, block: u64) -> Result<Option<String>, Unavailable> {
        let params = json!([hex(block), false]);
        let found: Option<RawBlock> = self.ask_maybe("eth_getBlockByNumber", &params).await?;
        Ok(found.map(|block| block.hash))
    }

    /// The decimals of a token; none if the contract is no token.
    pub(super) async fn decimals(&self, contract: EvmAddress) -> Result<Option<u8>, Unavailable> {
        let params = json!([{"to": contract.to_string(), "data": DECIMALS}, "latest"]);
        let Some(reply) = self.reply("eth_call", &params).await?.result else {
            return Ok(None);
        };
        let word = reply.as_str().and_then(word_value);
        Ok(word.and_then(|value| u8::try_from(value).ok()))
    }

    /// Transfers of these tokens to these addresses, in the blocks from one to another.
    pub(super) async fn transfers(
        &self,
        (from, to): (u64, u64),
        contracts: &[EvmAddress],
        addresses: &[EvmAddress],
    ) -> Result<Vec<Transfer>, Unavailable> {
        let contracts: Vec<_> = contracts.iter().map(ToString::to_string).collect();
        let mut found = Vec::new();
        for some in addresses.chunks(ADDRESSES_AT_ONCE) {
            let topics: Vec<_> = some.iter().map(topic).collect();
            let mut begin = from;
            while begin <= to {
                let end = to.min(begin.saturating_add(self.blocks_at_once - 1));
                let params = json!([{
                    "fromBlock": hex(begin),
                    "toBlock": hex(end),
                    "address": contracts,
                    "topics": [TRANSFER, null, topics],
                }]);
                let logs: Vec<RawLog> = self.ask("eth_getLogs", &params).await?;
                found.extend(logs.iter().filter_map(RawLog::transfer));
                begin = end + 1;
            }
        }
        Ok(found)
    }

    /// What became of a transaction; none as long as it is in no block.
    pub(super) async fn receipt(&self, transaction: &str) -> Result<Option<Receipt>, Unavailable> {
        let found: Option<RawReceipt> = self
            .ask_maybe("eth_getTransactionReceipt", &json!([transaction]))
            .await?;
        let Some(raw) = found else { return Ok(None) };
        let indexes = raw.logs.iter().map(RawLog::index);
        let indexes: Option<Vec<_>> = indexes.collect();
        Ok(Some(Receipt {
            succeeded: raw.status.as_deref() == Some("0x1"),
            block: number(&raw.block_number)?,
            block_hash: raw.block_hash,
            transfers: raw.logs.iter().filter_map(RawLog::transfer).collect(),
            indexes: indexes.ok_or(Unavailable)?,
        }))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<T, Unavailable> {
        self.ask_maybe(method, params).await?.ok_or(Unavailable)
    }

    /// None where the node says that there is nothing.
    async fn ask_maybe<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<Option<T>, Unavailable> {
        let reply = self.reply(method, params).await?;
        if let Some(Complaint { code }) = reply.error {
            tracing::warn!(method, code, "a node refused `{method}` with {code}");
            return Err(Unavailable);
        }
        let Some(result) = reply.result else {
            return Ok(None);
        };
        serde_json::from_value(result).map_err(|_| {
            tracing::warn!(method, "a node answered `{method}` with something else");
            Unavailable
        })
    }

    async fn reply(&self, method: &str, params: &Value) -> Result<Reply, Unavailable> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let read = async {
            let mut answer = self.http.post(self.url.clone()).json(&body).send().await?;
            let mut read = Vec::new();
            while let Some(part) = answer.chunk().await? {
                read.extend_from_slice(&part);
                if read.len() > ANSWER_BYTES_MAX {
                    break;
                }
            }
            Ok::<_, reqwest::Error>((answer.status(), read))
        };
        let (status, bytes) = read.await.map_err(|error| {
            let error = error.without_url();
            tracing::warn!(method, %error, "a node did not answer `{method}`: {error}");
            Unavailable
        })?;
        serde_json::from_slice(&bytes).map_err(|_| {
            let status = status.as_u16();
            tracing::warn!(
                method,
                status,
                "a node answered `{method}` with {status} and no reply"
            );
            Unavailable
        })
    }
}

impl RawLog {
    fn index(&self) -> Option<u64> {
        self.log_index.as_deref().and_then(|text| number(text).ok())
    }

    /// What it tells, if that is a transfer in a block that counts.
    fn transfer(&self) -> Option<Transfer> {
        let [name, _, to] = self.topics.as_slice() else {
            return None;
        };
        if self.removed || name != TRANSFER {
            return None;
        }
        let address = |text: &str| EvmAddress::of_digits(text.get(text.len().checked_sub(40)?..)?);
        Some(Transfer {
            contract: address(&self.address)?,
            to: address(to)?,
            units: word_value(&self.data),
            block: number(self.block_number.as_deref()?).ok()?,
            block_hash: self.block_hash.clone()?,
            transaction: self.transaction_hash.clone()?,
            index: self.index()?,
        })
    }
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

fn number(text: &str) -> Result<u64, Unavailable> {
    let digits = text.strip_prefix("0x").ok_or(Unavailable)?;
    u64::from_str_radix(digits, 16).map_err(|_| Unavailable)
}

fn topic(address: &EvmAddress) -> String {
    format!("0x{:0>64}", address.digits())
}

/// A number of thirty-two bytes, if half of them are enough for it.
fn word_value(text: &str) -> Option<u128> {
    let digits = text
        .strip_prefix("0x")
        .filter(|digits| digits.len() == 64)?;
    let (high, low) = digits.split_at_checked(32)?;
    let fits = high.bytes().all(|digit| digit == b'0');
    fits.then(|| u128::from_str_radix(low, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_node_are_hex() {
        assert_eq!(number(&hex(255)), Ok(255));
        for wrong in ["", "ff", "0x", "0xg", "0x1ffffffffffffffff"] {
            assert_eq!(number(wrong), Err(Unavailable), "{wrong}");
        }
    }

    #[test]
    fn amount_beyond_all_tokens_is_none() {
        let word = |digits: &str| format!("0x{digits:0>64}");
        assert_eq!(word_value(&word("ff")), Some(255));
        assert_eq!(word_value(&word(&"f".repeat(32))), Some(u128::MAX));
        assert_eq!(word_value(&word(&"f".repeat(33))), None);
        assert_eq!(word_value("0x"), None);
    }

    fn log(change: impl FnOnce(&mut Value)) -> Option<Transfer> {
        let address = EvmAddress::from_bytes([9; 20]);
        let mut log = json!({
            "address": format!("0x{}", address.digits()),
            "topics": [TRANSFER, topic(&address), topic(&address)],
            "data": format!("0x{:0>64}", "0a"),
            "blockNumber": "0x2", "blockHash": "0xb", "transactionHash": "0xc", "logIndex": "0x3",
        });
        change(&mut log);
        let log: RawLog = serde_json::from_value(log).unwrap();
        log.transfer()
    }

    #[test]
    fn only_a_transfer_in_a_block_is_one() {
        let transfer = log(|_| {}).unwrap();
        assert_eq!(
            (transfer.units, transfer.block, transfer.index),
            (Some(10), 2, 3)
        );
        assert_eq!(transfer.to, EvmAddress::from_bytes([9; 20]));
        assert_eq!(log(|log| log["removed"] = json!(true)), None);
        assert_eq!(log(|log| log["blockNumber"] = json!(null)), None);
        assert_eq!(log(|log| log["topics"] = json!([TRANSFER])), None);
        assert_eq!(log(|log| log["topics"][0] = json!("0x1")), None);
    }
}
