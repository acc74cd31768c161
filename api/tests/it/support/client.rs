//! A client that sends exactly what it is told, one connection per request.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode, request::Builder},
};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use super::contract;

/// One request.
pub(crate) struct Call {
    address: SocketAddr,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// The body is only announced.
    withheld: bool,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(address: SocketAddr, method: &'static str, path: &str) -> Self {
        Self {
            address,
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            withheld: false,
        }
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Another body under the same headers.
    pub(crate) fn replace_body(&mut self, body: &Value) {
        self.body = body.to_string().into();
    }

    /// A body that does not say what it is.
    pub(crate) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Announces a body of so many bytes and never sends it: whoever refuses it by its head closes the
    /// connection, and a client that is still writing might miss the answer.
    pub(crate) fn announce(mut self, bytes: usize) -> Self {
        self.withheld = true;
        self.header("content-type", "application/json")
            .header("content-length", &bytes.to_string())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the connection of a test's client has no owner"
    )]
    pub(crate) async fn send(self) -> Reply {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = self.request(&self.path).header("host", "consign.example");
        let body = if self.withheld {
            Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())
        } else {
            Body::from(self.body)
        };
        let request = request.body(body).unwrap();
        let reply = Reply::of(sender.send_request(request).await.unwrap()).await;
        connection.abort();
        contract::check(self.method, &self.path, &reply);
        reply
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the connection of a test's client has no owner"
    )]
    pub(crate) async fn send_http2(self) -> Reply {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.unwrap();
        let connection = tokio::spawn(connection);
        let request = self.request(&format!("http://consign.example{}", self.path));
        let body = if self.withheld {
            Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())
        } else {
            Body::from(self.body)
        };
        let request = request.body(body).unwrap();
        let reply = Reply::of(sender.send_request(request).await.unwrap()).await;
        connection.abort();
        contract::check(self.method, &self.path, &reply);
        reply
    }

    fn request(&self, uri: &str) -> Builder {
        let request = Request::builder().method(self.method).uri(uri);
        let headers = self.headers.iter();
        headers.fold(request, |request, (name, value)| {
            request.header(*name, value)
        })
    }
}

impl Reply {
    async fn of(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The object of a success.
    #[track_caller]
    pub(crate) fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()["data"].clone()
    }

    /// The error, which must be this one.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        let link = format!("https://consign.example/docs/errors#{code}");
        assert_eq!(error["doc_url"], link.as_str());
        assert!(
            error["message"].is_string() && error["details"].is_array(),
            "{error}"
        );
        error
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
