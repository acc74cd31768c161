//! What a list gives: one page, and whether there is more.
//!
//! Keeps: a page has at most as many items as were asked for. A list asks for one row more than it
//! shows, so whether there is more costs no second query.

/// Items in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Cuts what was found with the bound of [`asked`] down to `limit` items.
    pub(crate) fn cut(mut found: Vec<T>, limit: u32) -> Self {
        let limit = limit as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        Self {
            items: found,
            has_more,
        }
    }

    /// Where the next page begins, by what its items are found by; none if this is the last.
    pub fn next<K>(&self, by: impl FnOnce(&T) -> K) -> Option<K> {
        self.items.last().filter(|_| self.has_more).map(by)
    }

    /// The same page with each item translated, or the first failure.
    pub(crate) fn try_map<U, E>(self, map: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(map).collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            has_more: self.has_more,
        })
    }
}

/// How many rows a query takes for a page of `limit` items.
pub(crate) fn asked(limit: u32) -> i64 {
    i64::from(limit) + 1
}

/// A pattern for texts that contain this one, in which the caller's own signs mean themselves.
pub(crate) fn containing(part: &str) -> String {
    let escaped = part
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    format!("%{escaped}%")
}

/// A page named by its number from 1, with the number of items in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedPage<T> {
    pub items: Vec<T>,
    pub total: u64,
}

/// Where in a list a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumber {
    /// From 1.
    pub page: u32,
    pub limit: u32,
}

impl PageNumber {
    pub(crate) fn offset(self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * i64::from(self.limit)
    }
}
