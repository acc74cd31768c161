//! The provider that is no machine: whoever pays is told how, and the merchant says what arrived.

use engine::{
    money::Money,
    payments::{
        Arrival, Invoice, Method, Pay, Provider, ProviderKind, Snapshot, Source, Unavailable,
    },
};
use futures_util::future::{BoxFuture, ready};

/// What the merchant says of an invoice. What is left out is as it is expected, or as it was said
/// before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) amount: Option<Money>,
    /// Under which the money is found again, at the bank for instance: it pays one invoice only.
    pub(crate) reference: Option<String>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manual {
    instructions: Option<String>,
    word: Option<Word>,
}

impl Manual {
    /// As the merchant set it up.
    pub(crate) fn of(method: &Method) -> Self {
        Self {
            instructions: Some(method.instructions.clone()),
            word: None,
        }
    }

    /// As the merchant saw it.
    pub(crate) fn saying(word: Word) -> Self {
        Self {
            instructions: None,
            word: Some(word),
        }
    }
}

impl Provider for Manual {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Manual
    }

    fn open(&self, _amount: Money) -> BoxFuture<'_, Result<Pay, Unavailable>> {
        let pay = Pay {
            instructions: self.instructions.clone(),
            ..Pay::default()
        };
        Box::pin(ready(Ok(pay)))
    }

    fn fetch<'a>(&'a self, invoice: &'a Invoice) -> BoxFuture<'a, Result<Snapshot, Unavailable>> {
        let arrived = self.word.iter().map(|word| arrival(word, invoice));
        let snapshot = Snapshot {
            arrived: arrived.collect(),
            ..Snapshot::default()
        };
        Box::pin(ready(Ok(snapshot)))
    }
}

fn arrival(word: &Word, invoice: &Invoice) -> Arrival {
    let known = invoice.payments.first();
    let source = match (&word.reference, known) {
        (Some(reference), _) => Source::Reference(reference.clone()).to_string(),
        (None, Some(payment)) => payment.source.clone(),
        (None, None) => Source::Invoice(invoice.id).to_string(),
    };
    let expected = known.map_or(invoice.amount, |payment| payment.amount);
    Arrival {
        source,
        amount: word.amount.unwrap_or(expected),
        settled: true,
    }
}
