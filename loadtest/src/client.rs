//! One HTTP/1.1 connection, as cheap as it can be: the generator shares the machine with what it
//! measures.
//!
//! Keeps: one request at a time, one write for each, answers read to their last byte. It understands
//! `Content-Length` only; anything else is a failure of its own class, never a guess.

use std::{fmt, io, net::SocketAddr};

use bytes::BytesMut;
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const ANSWER_BYTES_MAX: usize = 8 << 20;

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// Why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    Connect,
    Closed,
    Protocol,
    Timeout,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "connect",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
        })
    }
}

impl std::error::Error for Failure {}

struct Head {
    status: u16,
    body_at: usize,
    body_len: usize,
}

impl Connection {
    pub(crate) async fn open(target: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::with_capacity(16 << 10),
        })
    }

    /// Sends `request` and waits for its answer. After a failure the connection is of no use.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        self.buffer.clear();
        self.stream
            .write_all(request)
            .await
            .map_err(|_| Failure::Closed)?;
        let head = loop {
            let read = self
                .stream
                .read_buf(&mut self.buffer)
                .await
                .map_err(|_| Failure::Closed)?;
            if read == 0 {
                return Err(Failure::Closed);
            }
            if let Some(head) = parse(&self.buffer)? {
                break head;
            }
        };
        let end = head.body_at + head.body_len;
        while self.buffer.len() < end {
            self.buffer.reserve(end - self.buffer.len());
            let read = self
                .stream
                .read_buf(&mut self.buffer)
                .await
                .map_err(|_| Failure::Closed)?;
            if read == 0 {
                return Err(Failure::Closed);
            }
        }
        Ok(Answer {
            status: head.status,
            body: &self.buffer[head.body_at..end],
        })
    }
}

/// None while the head is incomplete.
fn parse(bytes: &[u8]) -> Result<Option<Head>, Failure> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > 64 << 10 {
            Err(Failure::Protocol)
        } else {
            Ok(None)
        };
    };
    let head = &bytes[..end];
    let status = head
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(number)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or(Failure::Protocol)?;
    let body_len = match length(head) {
        Some(length) => length,
        None if status == 204 => 0,
        None => return Err(Failure::Protocol),
    };
    if body_len > ANSWER_BYTES_MAX {
        return Err(Failure::Protocol);
    }
    Ok(Some(Head {
        status,
        body_at: end + 4,
        body_len,
    }))
}

fn length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\r\ncontent-length:";
    // Servers on hyper write lower case; the slow way is for all others.
    let at = memmem::find(head, NAME).or_else(|| {
        head.windows(NAME.len())
            .position(|name| name.eq_ignore_ascii_case(NAME))
    })?;
    let value = &head[at + NAME.len()..];
    let value = value.split(|&byte| byte == b'\r').next()?;
    number(value.trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_tells_status_and_body() {
        let bytes = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        let head = parse(bytes).unwrap().unwrap();
        assert_eq!((head.status, head.body_len), (201, 5));
        assert_eq!(&bytes[head.body_at..], b"hello");
    }

    #[test]
    fn incomplete_head_is_waited_for() {
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap().is_none());
    }

    #[test]
    fn answer_without_length_is_a_failure() {
        let bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(parse(bytes).err(), Some(Failure::Protocol));
    }
}
