//! What stands in paths, queries and headers.

use serde_json::{Value, json};

use crate::events::feed;

/// One parameter.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    place: &'static str,
    required: bool,
    kind: Kind,
    pub(crate) says: &'static str,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Time,
    Flag,
    Whole(u32, Option<u32>),
    OneOf(&'static [&'static str]),
    Key,
}

/// What a list of ledger entries is asked with.
pub(super) const LEDGER: [Parameter; 8] = [
    Parameter::text("kind", "Kinds of entries, by comma."),
    Parameter::FROM,
    Parameter::TO,
    Parameter::text("external_order_id", "Of this order."),
    Parameter::whole(
        "after_version",
        (0, None),
        "From this version on, oldest first.",
    ),
    Parameter::LIMIT,
    Parameter::CURSOR,
    Parameter::CSV,
];

/// What a list of top-ups is asked with.
pub(super) const TOP_UPS: [Parameter; 3] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::LIMIT,
    Parameter::CURSOR,
];

impl Parameter {
    pub(super) const IDEMPOTENCY_KEY: Self = Self {
        name: "Idempotency-Key",
        place: "header",
        required: false,
        kind: Kind::Key,
        says: "The same request under the same key gets the same answer for a week.",
    };
    pub(super) const CONSIGN_MERCHANT: Self = Self {
        place: "header",
        ..Self::text(
            "Consign-Merchant",
            "With a session: the merchant to act for, if there are several.",
        )
    };
    pub(super) const CURSOR: Self = Self::text("cursor", "The `next_cursor` of the page before.");
    pub(super) const LIMIT: Self =
        Self::whole("limit", (1, Some(100)), "Items of a page, else 50.");
    pub(super) const PAGE: Self = Self::whole(
        "page",
        (1, None),
        "The number of a page, instead of a cursor.",
    );
    pub(super) const PER_PAGE: Self =
        Self::whole("per_page", (1, Some(100)), "`limit` by another name.");
    pub(super) const Q: Self = Self {
        required: true,
        ..Self::text("q", "A part of the title, in any case.")
    };
    pub(super) const FROM: Self = Self::time("from", "From this time on.");
    pub(super) const TO: Self = Self::time("to", "Before this time.");
    pub(super) const CSV: Self =
        Self::one_of("format", &["json", "csv"], "`csv` has no page limit.");

    /// What a dynamic URL is to order.
    pub(super) const DYNAMIC_URL: [Self; 2] = [
        Self {
            required: true,
            ..Self::text("product_id", "The product that is ordered.")
        },
        Self::text("variant_id", "Its variant, if it has any."),
    ];

    /// What a feed is asked with.
    pub(super) const FEED: [Self; 4] = [
        Self::whole(
            "after",
            (0, None),
            "Above this number, else from the first on.",
        ),
        Self::whole(
            "limit",
            (1, Some(feed::LIMIT_MAX)),
            "Events of a page, else 50.",
        ),
        Self::text(
            "types",
            "Names of events, by comma: the others are passed over.",
        ),
        Self::whole(
            "wait",
            (0, Some(feed::WAIT_SECONDS_MAX)),
            "Seconds to wait for the next event if there is none yet.",
        ),
    ];
    pub(super) const TEST: Self = Self::flag("test", "Of test mode instead of live.");

    pub(super) fn path(name: &'static str) -> Self {
        Self {
            place: "path",
            required: true,
            ..Self::text(
                name,
                "An id. Malformed, foreign and missing ones are one answer.",
            )
        }
    }

    pub(super) const fn text(name: &'static str, says: &'static str) -> Self {
        Self {
            name,
            place: "query",
            required: false,
            kind: Kind::Text,
            says,
        }
    }

    pub(super) const fn time(name: &'static str, says: &'static str) -> Self {
        Self {
            kind: Kind::Time,
            ..Self::text(name, says)
        }
    }

    pub(super) const fn flag(name: &'static str, says: &'static str) -> Self {
        Self {
            kind: Kind::Flag,
            ..Self::text(name, says)
        }
    }

    pub(super) const fn whole(
        name: &'static str,
        (min, max): (u32, Option<u32>),
        says: &'static str,
    ) -> Self {
        Self {
            kind: Kind::Whole(min, max),
            ..Self::text(name, says)
        }
    }

    pub(super) const fn one_of(
        name: &'static str,
        words: &'static [&'static str],
        says: &'static str,
    ) -> Self {
        Self {
            kind: Kind::OneOf(words),
            ..Self::text(name, says)
        }
    }

    pub(super) const fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(super) fn to_json(self) -> Value {
        let schema = match self.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Time => json!({"type": "string", "format": "date-time"}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Whole(min, None) => json!({"type": "integer", "minimum": min}),
            Kind::Whole(min, Some(max)) => {
                json!({"type": "integer", "minimum": min, "maximum": max})
            }
            Kind::OneOf(words) => json!({"type": "string", "enum": words}),
            Kind::Key => {
                json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"})
            }
        };
        json!({
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.says,
            "schema": schema,
        })
    }
}
