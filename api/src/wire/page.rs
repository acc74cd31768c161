//! Lists: pages by cursor or by number, and their `pagination`.
//!
//! A cursor is bound to its list, its owner and its filters; one that was made elsewhere or damaged is
//! refused, never guessed at. It is no permission: every list is read within its caller's scope.

use std::fmt::Display;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use persistence::page::PageNumber;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::answer::json;
use crate::{error::ApiError, extract::Query};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 100;
const BINDING_LEN: usize = 8;
const CURSOR_BYTES_MAX: usize = 256;

/// Which page of a list is asked for, in the list's own style.
pub(crate) enum Paging {
    Cursor(CursorPage),
    Numbered(PageNumber),
}

impl Paging {
    /// Page style if `page` is sent, else cursor style. `list` names the list and its owner.
    pub(crate) fn read(query: &Query, list: &str) -> Result<Self, ApiError> {
        if query.get("page").is_some() {
            return page_number(query).map(Self::Numbered);
        }
        CursorPage::read(query, list).map(Self::Cursor)
    }
}

/// A page that begins after a position.
pub(crate) struct CursorPage {
    pub(crate) limit: u32,
    binding: [u8; BINDING_LEN],
    position: Option<String>,
}

impl CursorPage {
    /// `list` names the list and its owner, so that a cursor works nowhere else.
    pub(crate) fn read(query: &Query, list: &str) -> Result<Self, ApiError> {
        let binding = binding(query, list);
        let position = query.get("cursor").map(|cursor| {
            opened(cursor, binding).ok_or_else(|| ApiError::field("cursor", "is not of this list"))
        });
        Ok(Self {
            limit: limit(query)?,
            binding,
            position: position.transpose()?,
        })
    }

    /// Where the page begins: after this. None for the first page.
    pub(crate) fn position<T>(
        &self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = &self.position else {
            return Ok(None);
        };
        let parsed = parse(text).ok_or_else(|| ApiError::field("cursor", "is not of this list"))?;
        Ok(Some(parsed))
    }

    /// The answer with these items. `next` is the position of the last one if more follow.
    pub(crate) fn answer<T: Serialize>(
        &self,
        data: Vec<T>,
        next: Option<impl Display>,
    ) -> Response {
        let pagination = self.pagination(next);
        json(StatusCode::OK, &List { data, pagination }).into_response()
    }

    /// The same with something beside the list.
    pub(crate) fn answer_with<T: Serialize>(
        &self,
        data: Vec<T>,
        next: Option<impl Display>,
        beside: impl Serialize,
    ) -> Response {
        let list = List {
            data,
            pagination: self.pagination(next),
        };
        json(StatusCode::OK, &Beside { list, beside }).into_response()
    }

    fn pagination(&self, next: Option<impl Display>) -> CursorPagination {
        let next_cursor = next.map(|position| {
            let mut bytes = self.binding.to_vec();
            bytes.extend_from_slice(position.to_string().as_bytes());
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        });
        CursorPagination {
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }
}

/// Reads `page` from 1, and the limit.
pub(crate) fn page_number(query: &Query) -> Result<PageNumber, ApiError> {
    let page = query.get("page").map_or(Ok(1), |text| {
        let page = text.parse().ok().filter(|page| *page >= 1);
        page.ok_or_else(|| ApiError::field("page", "must be a whole number from 1"))
    })?;
    Ok(PageNumber {
        page,
        limit: limit(query)?,
    })
}

/// The answer with one numbered page out of `total` items.
pub(crate) fn numbered<T: Serialize>(page: PageNumber, data: Vec<T>, total: u64) -> Response {
    let pagination = numbers(page, total);
    json(StatusCode::OK, &List { data, pagination }).into_response()
}

/// The same with something beside the list.
pub(crate) fn numbered_with<T: Serialize>(
    page: PageNumber,
    (data, total): (Vec<T>, u64),
    beside: impl Serialize,
) -> Response {
    let list = List {
        data,
        pagination: numbers(page, total),
    };
    json(StatusCode::OK, &Beside { list, beside }).into_response()
}

fn numbers(page: PageNumber, total: u64) -> NumberedPagination {
    let total_pages = total.div_ceil(u64::from(page.limit));
    NumberedPagination {
        total,
        page: page.page,
        limit: page.limit,
        per_page: page.limit,
        total_pages,
        has_more: u64::from(page.page) < total_pages,
    }
}

#[derive(Serialize)]
struct List<T, P> {
    data: Vec<T>,
    pagination: P,
}

/// A list, and fields that stand beside its own.
#[derive(Serialize)]
struct Beside<L, B> {
    #[serde(flatten)]
    list: L,
    #[serde(flatten)]
    beside: B,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CursorPagination {
    next_cursor: Option<String>,
    has_more: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NumberedPagination {
    total: u64,
    page: u32,
    limit: u32,
    per_page: u32,
    total_pages: u64,
    has_more: bool,
}

/// `limit`, which may be called `per_page` in both styles. Of both, each is one, and `limit` counts.
fn limit(query: &Query) -> Result<u32, ApiError> {
    let read = |name: &'static str| {
        let limit = query.get(name).map(|text| {
            let limit = text.parse().ok();
            let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
            limit.ok_or_else(|| ApiError::field(name, "must be 1 to 100"))
        });
        limit.transpose()
    };
    let (limit, per_page) = (read("limit")?, read("per_page")?);
    Ok(limit.or(per_page).unwrap_or(LIMIT_DEFAULT))
}

fn binding(query: &Query, list: &str) -> [u8; BINDING_LEN] {
    let mut filters: Vec<_> = query
        .pairs()
        .filter(|(name, _)| !matches!(*name, "cursor" | "limit" | "per_page"))
        .collect();
    filters.sort_unstable();
    let mut digest = Sha256::new();
    digest.update(list);
    for (name, value) in filters {
        for part in [name, value] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
    let bytes = digest.finalize();
    std::array::from_fn(|at| bytes[at])
}

fn opened(cursor: &str, binding: [u8; BINDING_LEN]) -> Option<String> {
    if cursor.len() > CURSOR_BYTES_MAX {
        return None;
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let position = bytes.strip_prefix(&binding)?;
    String::from_utf8(position.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;
    use crate::extract::query::escaped;

    fn read(query: &str, list: &str) -> Result<CursorPage, ApiError> {
        CursorPage::read(&Query::parse(query).ok().unwrap(), list)
    }

    async fn body(response: Response) -> serde_json::Value {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    async fn next_cursor(query: &str, position: &str) -> String {
        let page = read(query, "list").ok().unwrap();
        let body = body(page.answer(vec![1], Some(position))).await;
        assert_eq!(body["pagination"]["has_more"], true);
        body["pagination"]["next_cursor"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[tokio::test]
    async fn cursor_continues_its_own_list_only() {
        let cursor = next_cursor("status=A&limit=2", "17").await;
        let same = read(&format!("limit=5&cursor={cursor}&status=A"), "list")
            .ok()
            .unwrap();
        assert_eq!(
            same.position(|text| text.parse::<i64>().ok()).ok(),
            Some(Some(17))
        );
        assert!(read(&format!("status=B&cursor={cursor}"), "list").is_err());
        assert!(read(&format!("status=A&cursor={cursor}"), "other").is_err());
        assert!(read("cursor=x", "list").is_err());
    }

    #[tokio::test]
    async fn limit_has_two_names_and_its_bounds_in_both_styles() {
        for (query, limit) in [
            ("", Some(50)),
            ("limit=7", Some(7)),
            ("per_page=7", Some(7)),
            ("limit=7&per_page=8", Some(7)),
            ("per_page=AAA", None),
            ("limit=7&per_page=AAA", None),
            ("per_page=0", None),
            ("limit=101", None),
        ] {
            assert_eq!(
                read(query, "list").ok().map(|page| page.limit),
                limit,
                "{query}"
            );
            let page = page_number(&Query::parse(query).ok().unwrap());
            assert_eq!(page.ok().map(|page| page.limit), limit, "{query}");
        }
        let cursor = next_cursor("per_page=2", "17").await;
        assert!(read(&format!("per_page=3&cursor={cursor}"), "list").is_ok());
    }

    #[tokio::test]
    async fn last_page_has_no_cursor() {
        let page = read("", "list").ok().unwrap();
        let expected = serde_json::json!({"data": [1], "pagination": {"next_cursor": null, "has_more": false}});
        assert_eq!(body(page.answer(vec![1], None::<&str>)).await, expected);
    }

    #[tokio::test]
    async fn numbered_pages_count_what_there_is() {
        let page = page_number(&Query::parse("page=2&per_page=10").ok().unwrap())
            .ok()
            .unwrap();
        let expected = serde_json::json!({"total": 21, "page": 2, "limit": 10, "per_page": 10,
            "total_pages": 3, "has_more": true});
        assert_eq!(
            body(numbered(page, vec![1], 21)).await["pagination"],
            expected
        );
    }

    #[test]
    fn bounds_of_a_page_are_checked() {
        for query in [
            "limit=0",
            "limit=101",
            "limit=x",
            "page=0",
            "page=x",
            "page=1&per_page=0",
        ] {
            let parsed = Query::parse(query).ok().unwrap();
            assert!(Paging::read(&parsed, "list").is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_page_is_read_within_its_bounds_or_refused(
            limit in "[0-9-]{0,20}|.{0,8}",
            page in "[0-9-]{0,20}|.{0,8}",
            cursor in "[A-Za-z0-9_-]{0,60}|.{0,20}",
            style in 0..3_u8,
        ) {
            let (limit, page, cursor) = (escaped(&limit), escaped(&page), escaped(&cursor));
            let raw = match style {
                0 => format!("limit={limit}"),
                1 => format!("limit={limit}&cursor={cursor}"),
                _ => format!("page={page}&per_page={limit}"),
            };
            let Ok(query) = Query::parse(&raw) else {
                prop_assert!(raw.contains("%00"));
                return Ok(());
            };
            if let Ok(Paging::Cursor(page)) = Paging::read(&query, "list") {
                prop_assert!((1..=LIMIT_MAX).contains(&page.limit));
            }
        }

        #[test]
        fn any_cursor_is_read_or_refused(cursor in ".{0,300}", bytes: Vec<u8>) {
            let _refused = opened(&cursor, [0; BINDING_LEN]);
            let mut bound = vec![0; BINDING_LEN];
            bound.extend(&bytes);
            let text = BASE64_URL_SAFE_NO_PAD.encode(bound);
            let expected = String::from_utf8(bytes).ok().filter(|_| text.len() <= CURSOR_BYTES_MAX);
            prop_assert_eq!(opened(&text, [0; BINDING_LEN]), expected);
        }
    }
}
