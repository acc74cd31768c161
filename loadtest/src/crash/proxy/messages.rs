//! Where one message of the Postgres protocol ends and the next begins.
//!
//! Keeps: nothing is understood but lengths and kinds. A start-up packet has no kind; whatever comes
//! after it has one byte of kind and four of length, in both directions.

use bytes::{Bytes, BytesMut};

/// The longest message that is believed: a batch of the engine is far below.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// One whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// None of a start-up packet.
    pub(super) kind: Option<u8>,
    pub(super) bytes: Bytes,
}

/// Takes messages out of a stream of bytes.
pub(super) struct Framer {
    buffer: BytesMut,
    starting: bool,
}

/// The bytes are not of this protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garbled;

impl Framer {
    /// Of what a client sends: the first packet has no kind.
    pub(super) fn of_client() -> Self {
        Self {
            buffer: BytesMut::with_capacity(64 << 10),
            starting: true,
        }
    }

    pub(super) fn of_server() -> Self {
        Self {
            starting: false,
            ..Self::of_client()
        }
    }

    /// Where what was read goes.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next whole message, if it has come.
    pub(super) fn next(&mut self) -> Result<Option<Message>, Garbled> {
        let kind_bytes = usize::from(!self.starting);
        let Some(length) = self.buffer.get(kind_bytes..kind_bytes + 4) else {
            return Ok(None);
        };
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if !(4..=MESSAGE_BYTES_MAX).contains(&length) {
            return Err(Garbled);
        }
        let whole = kind_bytes + length;
        if self.buffer.len() < whole {
            return Ok(None);
        }
        let kind = (!self.starting).then(|| self.buffer[0]);
        self.starting = false;
        let bytes = self.buffer.split_to(whole).freeze();
        Ok(Some(Message { kind, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(framer: &mut Framer) -> Vec<Option<u8>> {
        std::iter::from_fn(|| framer.next().unwrap())
            .map(|message| message.kind)
            .collect()
    }

    #[test]
    fn messages_end_where_their_lengths_say() {
        let mut framer = Framer::of_client();
        let sent = [
            &[0, 0, 0, 9][..],
            b"hello",
            b"S\0\0\0\x04",
            b"Q\0\0\0\x06ab",
        ]
        .concat();
        let mut found = Vec::new();
        for byte in sent {
            framer.buffer().extend_from_slice(&[byte]);
            found.extend(kinds(&mut framer));
        }
        assert_eq!(found, [None, Some(b'S'), Some(b'Q')]);
    }

    #[test]
    fn server_speaks_with_kinds_from_the_start() {
        let mut framer = Framer::of_server();
        framer.buffer().extend_from_slice(b"Z\0\0\0\x05IC\0");
        assert_eq!(kinds(&mut framer), [Some(b'Z')]);
    }

    #[test]
    fn impossible_length_is_garbled() {
        let mut framer = Framer::of_server();
        framer.buffer().extend_from_slice(b"Z\0\0\0\x03IC\0");
        assert_eq!(framer.next(), Err(Garbled));
    }
}
