//! What the judge says.

use std::fmt;

use serde::{Serialize, Serializer};

/// Most violations that one point names; the rest is counted.
const NAMED_MAX: usize = 20;

macro_rules! points {
    ($($point:ident $says:literal;)*) => {
        /// What is judged. The numbers are those of docs/TESTING.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point { $($point,)* }

        impl Point {
            pub const ALL: [Self; 20] = [$(Self::$point,)*];

            /// What must be so.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$point => $says,)* }
            }
        }
    };
}

points! {
    C1 "each success answer is stored once, with its serials, cost and time";
    C2 "what was answered as not executed left nothing, and is no order already delivered";
    C3 "what is not known is wholly there or wholly absent, and stays so";
    C4 "a serial is delivered once, in the store and in all answers";
    C5 "all success answers of an order id are equal, and at most one is not a replay";
    C6 "an order id shows its serials only to the request it is bound to";
    C7 "ledgers add up from zero without a gap, never below zero";
    C8 "debits are the cost of deliveries, credits are what was credited, one version has one price";
    C9 "a delivery has exactly its lines, its quantity, products of its merchant";
    C10 "what was imported is free, claimed, withdrawn or quarantined, and stored once";
    C11 "what was answered before a call was sent comes before it in the ledger";
    C12 "a balance that was read is one that its moment allows";
    C13 "nobody sees what belongs to another";
    C14 "nothing sent after an acknowledged revocation is sold under the old terms";
    C15 "batches of a lane are gapless, fences never fall, entries are in one batch each";
    C16 "every delivery has its event once";
    C17 "memory at rest equals the store";
    C18 "purchase limits and caps of keys are kept";
    C19 "the engine found no defect in itself";
    C20 "answers come within their deadline";
}

/// What was found about one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Finding {
    /// With the number of things that were checked.
    Holds {
        checked: u64,
    },
    Violated {
        count: u64,
        /// The first of them.
        named: Vec<Violation>,
    },
    NotChecked {
        why: &'static str,
    },
}

/// One lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub what: &'static str,
    /// Order ids, entries, serials, clients: whatever finds it.
    pub ids: String,
}

/// All points in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub points: Vec<(Point, Finding)>,
    /// Why there is no verdict; it counts as failed.
    pub unknown: Option<String>,
}

/// Collects what is found about one point.
#[derive(Debug)]
pub(crate) struct Check {
    checked: u64,
    count: u64,
    named: Vec<Violation>,
}

impl Verdict {
    pub(crate) const fn new(points: Vec<(Point, Finding)>) -> Self {
        Self {
            points,
            unknown: None,
        }
    }

    /// The verdict on a run whose histories or rows could not be read to their end.
    pub fn unknown(why: String) -> Self {
        let unread = Finding::NotChecked {
            why: "not everything could be read",
        };
        Self {
            points: Point::ALL.map(|point| (point, unread.clone())).into(),
            unknown: Some(why),
        }
    }

    /// Everything was read, and nothing is violated.
    pub fn good(&self) -> bool {
        self.unknown.is_none() && self.violated().is_empty()
    }

    pub fn finding(&self, point: Point) -> &Finding {
        let found = self.points.iter().find(|(known, _)| *known == point);
        &found.expect("a verdict has all points").1
    }

    /// The points that do not hold.
    pub fn violated(&self) -> Vec<Point> {
        let points = self.points.iter();
        points
            .filter(|(_, finding)| matches!(finding, Finding::Violated { .. }))
            .map(|(point, _)| *point)
            .collect()
    }
}

impl Check {
    pub(crate) const fn new() -> Self {
        Self {
            checked: 0,
            count: 0,
            named: Vec::new(),
        }
    }

    /// Counts one thing that was looked at.
    pub(crate) fn look(&mut self) {
        self.checked += 1;
    }

    /// Counts one thing; if it is not so, names it.
    pub(crate) fn that(&mut self, so: bool, what: &'static str, ids: impl FnOnce() -> String) {
        self.checked += 1;
        if !so {
            self.violated(what, ids);
        }
    }

    pub(crate) fn violated(&mut self, what: &'static str, ids: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(Violation { what, ids: ids() });
        }
    }

    pub(crate) fn finding(self) -> Finding {
        if self.count == 0 {
            Finding::Holds {
                checked: self.checked,
            }
        } else {
            Finding::Violated {
                count: self.count,
                named: self.named,
            }
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line per point, and one per named violation.
impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.unknown {
            return writeln!(formatter, "UNKNOWN, which counts as failed: {why}");
        }
        for (point, finding) in &self.points {
            match finding {
                Finding::Holds { checked } => {
                    writeln!(
                        formatter,
                        "{point} holds, {checked} checked: {}",
                        point.says()
                    )?;
                }
                Finding::NotChecked { why } => {
                    writeln!(formatter, "{point} not checked, {why}: {}", point.says())?;
                }
                Finding::Violated { count, named } => {
                    writeln!(
                        formatter,
                        "{point} VIOLATED {count} times: {}",
                        point.says()
                    )?;
                    for each in named {
                        writeln!(formatter, "    {}: {}", each.what, each.ids)?;
                    }
                }
            }
        }
        Ok(())
    }
}
