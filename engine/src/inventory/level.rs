//! How a shelf stands, and what is to be said when it stands otherwise.

/// What a merchant has to know of a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Stocked,
    /// As many as the product's threshold says, or fewer.
    Low,
    Out,
}

/// What is said once when a shelf comes to stand otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    Low,
    Out,
    /// There is something again.
    Back,
}

impl Level {
    /// Of this many serials that nobody has.
    pub const fn of(stock: u64, threshold: Option<u32>) -> Self {
        match (stock, threshold) {
            (0, _) => Self::Out,
            (stock, Some(threshold)) if stock <= threshold as u64 => Self::Low,
            _ => Self::Stocked,
        }
    }

    /// What is said of a shelf that stood so and stands as it does `now`. That it is low no more is nothing
    /// to act upon.
    pub const fn crossing(self, now: Self) -> Option<Crossing> {
        match (self, now) {
            (Self::Stocked | Self::Low, Self::Out) => Some(Crossing::Out),
            (Self::Out, Self::Stocked | Self::Low) => Some(Crossing::Back),
            (Self::Stocked, Self::Low) => Some(Crossing::Low),
            (Self::Stocked | Self::Low, Self::Stocked)
            | (Self::Low, Self::Low)
            | (Self::Out, Self::Out) => None,
        }
    }

    /// The word for it in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stocked => "STOCKED",
            Self::Low => "LOW",
            Self::Out => "OUT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Stocked, Self::Low, Self::Out];
        all.into_iter().find(|level| level.name() == name)
    }
}

impl Crossing {
    /// The word for it in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Out => "OUT",
            Self::Back => "BACK",
        }
    }

    /// Whether resellers hear of it too: of what they can sell, not of how much is left.
    pub const fn is_for_resellers(self) -> bool {
        match self {
            Self::Low => false,
            Self::Out | Self::Back => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threshold_itself_is_low_and_nothing_is_out() {
        for (stock, threshold, level) in [
            (0, None, Level::Out),
            (0, Some(0), Level::Out),
            (1, None, Level::Stocked),
            (1, Some(0), Level::Stocked),
            (5, Some(5), Level::Low),
            (6, Some(5), Level::Stocked),
        ] {
            assert_eq!(Level::of(stock, threshold), level, "{stock} {threshold:?}");
            assert_eq!(Level::parse(level.name()), Some(level));
        }
    }

    #[test]
    fn each_way_down_is_said_and_the_way_back_from_nothing() {
        for (before, now, said) in [
            (Level::Stocked, Level::Low, Some(Crossing::Low)),
            (Level::Stocked, Level::Out, Some(Crossing::Out)),
            (Level::Low, Level::Out, Some(Crossing::Out)),
            (Level::Out, Level::Low, Some(Crossing::Back)),
            (Level::Out, Level::Stocked, Some(Crossing::Back)),
            (Level::Low, Level::Stocked, None),
        ] {
            assert_eq!(before.crossing(now), said);
            assert_eq!(now.crossing(now), None);
        }
    }
}
