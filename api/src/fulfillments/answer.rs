//! A fulfillment as a shop reads it.
//!
//! Written straight from the domain's object into the body: ids, amounts and times are formatted in
//! place, and a serial exists in the clear only as long as the answer that shows it.

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use engine::{
    catalog::Product,
    engine::Engine,
    fulfillments::{
        Channel, ClaimedSerial, Delivery, FulfilledLine, Fulfillment, Replaced, Standing,
    },
    ids::{FulfillmentId, ItemId, LineId, ProductId, SerialId, VariantId},
    merchants::Merchant,
    money::{Currency, Money},
    vault::Opened,
};
use serde::{Serialize, Serializer, ser::SerializeSeq};
use utoipa::ToSchema;

use crate::{
    auth::ResellerKey,
    error::{ApiError, Code},
    inventory::{serial, trace},
    wire::{
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

/// How much of the serials an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serials {
    Shown,
    /// Only how they end, to whoever reads one by itself.
    Masked,
    /// A list: neither lines' serials nor items.
    Omitted,
    /// A replay that comes too late or too often.
    Withheld,
}

/// How much of a customer's address an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    Whole,
    Masked,
}

/// A fulfillment with everything that its answer says.
pub(crate) struct Told {
    pub(crate) fulfillment: Arc<Fulfillment>,
    pub(crate) reused: bool,
    test: bool,
    currency: Currency,
    email: Option<Opened>,
    products: Vec<Option<Arc<Product>>>,
    serials: Vec<Opened>,
    /// Of serials that took the place of others, in their order.
    successors: Vec<(SerialId, Opened)>,
    shown: Serials,
}

impl Told {
    /// Opens what is to be shown and finds the titles.
    pub(crate) async fn of(
        engine: &Engine,
        merchant: &Merchant,
        fulfillment: Arc<Fulfillment>,
        shown: Serials,
    ) -> Result<Self, ApiError> {
        let contents = &fulfillment.contents;
        let serials = match shown {
            Serials::Shown => opened(merchant, &fulfillment)?,
            Serials::Masked => opened(merchant, &fulfillment)?.iter().map(ending).collect(),
            Serials::Omitted | Serials::Withheld => Vec::new(),
        };
        let successors = match shown {
            Serials::Shown => opened_successors(merchant, &fulfillment)?,
            Serials::Masked => {
                let opened = opened_successors(merchant, &fulfillment)?.into_iter();
                opened.map(|(id, text)| (id, ending(&text))).collect()
            }
            Serials::Omitted | Serials::Withheld => Vec::new(),
        };
        let mut products = Vec::with_capacity(contents.lines.len());
        for line in &contents.lines {
            // A title that cannot be read now is no reason to keep a delivered serial back.
            products.push(engine.product(line.sku.product).await.ok().flatten());
        }
        Ok(Self {
            reused: false,
            test: false,
            currency: merchant.currency,
            email: None,
            products,
            serials,
            successors,
            shown,
            fulfillment,
        })
    }

    /// The same for the reseller whose it is, live or of test mode.
    pub(crate) async fn to<D>(
        engine: &Engine,
        caller: &ResellerKey<D>,
        fulfillment: Arc<Fulfillment>,
        shown: Serials,
    ) -> Result<Self, ApiError> {
        let told = Self::of(engine, caller.merchant(), fulfillment, shown).await?;
        Ok(Self {
            test: caller.scope().test,
            ..told
        })
    }

    /// What a call delivered, with the address as the caller sent it.
    pub(crate) async fn delivered<D>(
        engine: &Engine,
        caller: &ResellerKey<D>,
        delivery: Delivery,
        email: Option<Opened>,
    ) -> Result<Self, ApiError> {
        let reused = delivery.is_replayed();
        let fulfillment = match delivery {
            Delivery::Fresh(fulfillment) | Delivery::Replayed(fulfillment) => fulfillment,
        };
        let told = Self::to(engine, caller, fulfillment, Serials::Shown).await?;
        Ok(Self {
            reused,
            email,
            ..told
        })
    }

    /// As one of test mode, or of a live balance.
    #[must_use]
    pub(crate) fn in_mode(self, test: bool) -> Self {
        Self { test, ..self }
    }

    /// With the address as it is stored, if it was not erased.
    #[must_use]
    pub(crate) fn with_stored_email(self, merchant: &Merchant) -> Self {
        self.with_address(merchant, Address::Whole)
    }

    /// The same, or so that only its owner knows it again.
    #[must_use]
    pub(crate) fn with_address(mut self, merchant: &Merchant, shown: Address) -> Self {
        let contents = &self.fulfillment.contents;
        let sealed = contents.email.as_ref();
        let opened = sealed.and_then(|s| merchant.key.open_email(contents.balance, s).ok());
        self.email = opened.map(|email| match shown {
            Address::Whole => email,
            Address::Masked => Opened::new(trace::masked(email.expose())),
        });
        self
    }

    /// As one that was given before.
    #[must_use]
    pub(crate) fn again(self) -> Self {
        Self {
            reused: true,
            ..self
        }
    }

    /// The answer without the serials that were opened for it.
    #[must_use]
    pub(crate) fn withheld(mut self) -> Self {
        self.serials.clear();
        self.successors.clear();
        self.shown = Serials::Withheld;
        self
    }

    pub(crate) fn id(&self) -> FulfillmentId {
        self.fulfillment.stamp.id.fulfillment()
    }

    /// The serials that are shown, in line order.
    pub(crate) fn serials(&self) -> &[Opened] {
        &self.serials
    }

    fn money(&self, amount: Money) -> MoneyText {
        MoneyText(self.currency, amount)
    }

    /// The lines with their serials.
    pub(crate) fn lines(&self) -> Vec<LineAnswer<'_>> {
        let mut from = 0;
        let lines = self.fulfillment.contents.lines.iter().enumerate();
        lines
            .map(|(index, line)| {
                let serials = self.serials.get(from..from + line.serials.len());
                from += line.serials.len();
                self.line(index, line, serials.unwrap_or_default())
            })
            .collect()
    }

    fn line<'a>(
        &'a self,
        index: usize,
        line: &'a FulfilledLine,
        serials: &'a [Opened],
    ) -> LineAnswer<'a> {
        let number = u8::try_from(index + 1).expect("a fulfillment has at most 20 lines");
        let contents = &self.fulfillment.contents;
        let fields = contents
            .details
            .as_ref()
            .and_then(|d| d.custom_fields.get(index));
        let product = self.products[index].as_ref();
        let variant = line.sku.variant.and_then(|id| product?.variant(id));
        LineAnswer {
            id: Id(self.fulfillment.stamp.id.line(number)),
            line: number,
            product_id: Id(line.sku.product),
            variant_id: line.sku.variant.map(Id),
            product_title: product.map(|product| product.title.as_str()),
            variant_title: variant.map(|variant| variant.title.as_str()),
            quantity: line.quantity(),
            unit_price: self.money(line.unit_price),
            total: self.money(line.total()),
            price_version: line.price_version,
            custom_fields: fields.unwrap_or(&EMPTY),
            delivered: true,
            serials: Texts(serials),
            items: Items {
                told: self,
                line,
                serials,
            },
        }
    }
}

static EMPTY: BTreeMap<String, String> = BTreeMap::new();

fn opened(merchant: &Merchant, fulfillment: &Fulfillment) -> Result<Vec<Opened>, ApiError> {
    let serials = fulfillment.contents.serials();
    let opened = serials.map(|serial| merchant.key.open_serial(serial.id, &serial.sealed));
    opened.collect::<Result<_, _>>().map_err(|error| {
        let id = fulfillment.stamp.id.fulfillment();
        tracing::error!(fulfillment.id = %id, error = %error, "could not open a delivered serial");
        // It was delivered: an error that says otherwise would make the shop buy again.
        ApiError::new(Code::OutcomeUnknown)
    })
}

/// How a serial ends.
fn ending(text: &Opened) -> Opened {
    Opened::new(serial::masked(text.expose()))
}

fn opened_successors(
    merchant: &Merchant,
    fulfillment: &Fulfillment,
) -> Result<Vec<(SerialId, Opened)>, ApiError> {
    let successors = fulfillment
        .replaced
        .iter()
        .filter_map(|one| one.by.as_ref());
    let open = |serial: &ClaimedSerial| {
        let opened = merchant.key.open_serial(serial.id, &serial.sealed);
        Ok((
            serial.id,
            opened.map_err(|_| ApiError::new(Code::OutcomeUnknown))?,
        ))
    };
    successors.map(open).collect()
}

/// The name of a channel.
pub(crate) const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Api => "API",
        Channel::Orders => "ORDERS",
        Channel::Bulk => "BULK",
        Channel::DynamicUrl => "DYNAMIC_URL",
        Channel::SignedUrl => "SIGNED_URL",
        Channel::Callback => "CALLBACK",
        Channel::Stock => "STOCK",
    }
}

/// An id in its text form.
#[derive(Clone, Copy)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: Display> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Opened serials as texts.
struct Texts<'a>(&'a [Opened]);

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Opened::expose))
    }
}

/// One line as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Line)]
pub(crate) struct LineAnswer<'a> {
    #[schema(value_type = String)]
    id: Id<LineId>,
    line: u8,
    #[schema(value_type = String)]
    product_id: Id<ProductId>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Id<VariantId>>,
    product_title: Option<&'a str>,
    variant_title: Option<&'a str>,
    quantity: u32,
    unit_price: MoneyText,
    total: MoneyText,
    price_version: i64,
    custom_fields: &'a BTreeMap<String, String>,
    delivered: bool,
    #[schema(value_type = Vec<String>)]
    serials: Texts<'a>,
    #[schema(value_type = Vec<Item>)]
    items: Items<'a>,
}

struct Items<'a> {
    told: &'a Told,
    line: &'a FulfilledLine,
    serials: &'a [Opened],
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Item<'a> {
    #[schema(value_type = String)]
    id: Id<ItemId>,
    serial: &'a str,
    status: &'static str,
    handed_over_at: Time,
    revealed_at: Option<Time>,
    #[schema(value_type = Option<String>)]
    replaced_by: Option<Id<ItemId>>,
    #[schema(value_type = Option<String>)]
    replaces: Option<Id<ItemId>>,
}

impl LineAnswer<'_> {
    /// One item of the line, if it is one.
    pub(crate) fn item(&self, id: ItemId) -> Option<Item<'_>> {
        self.items.each().find(|item| item.id.0 == id)
    }
}

impl Items<'_> {
    /// Each serial of the line, and after it what came in its place.
    fn each(&self) -> impl Iterator<Item = Item<'_>> {
        let serials = self.line.serials.iter().zip(self.serials);
        serials.flat_map(|(claimed, serial)| {
            let mut replaced = self.told.fulfillment.replaced.iter();
            let replaced = replaced.find(|one| one.serial == claimed.id);
            let successor = replaced.and_then(|old| self.successor(old));
            let status = item_status(&self.told.fulfillment, claimed.id, replaced);
            let item = Item {
                id: Id(claimed.id.item()),
                serial: serial.expose(),
                status,
                handed_over_at: Time(self.told.fulfillment.stamp.created_at),
                revealed_at: self.revealed_at(claimed.id),
                replaced_by: successor.as_ref().map(|item| Id(item.id.0)),
                replaces: None,
            };
            [Some(item), successor].into_iter().flatten()
        })
    }

    fn successor(&self, old: &Replaced) -> Option<Item<'_>> {
        let by = old.by.as_ref()?;
        let (_, serial) = self.told.successors.iter().find(|(id, _)| *id == by.id)?;
        Some(Item {
            id: Id(by.id.item()),
            serial: serial.expose(),
            status: item_status(&self.told.fulfillment, old.serial, None),
            handed_over_at: Time(old.at),
            revealed_at: self.revealed_at(by.id),
            replaced_by: None,
            replaces: Some(Id(old.serial.item())),
        })
    }

    fn revealed_at(&self, serial: SerialId) -> Option<Time> {
        self.told
            .fulfillment
            .revealed
            .get(&serial)
            .copied()
            .map(Time)
    }
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(None)?;
        for item in self.each() {
            items.serialize_element(&item)?;
        }
        items.end()
    }
}

/// Where an item stands that was delivered as this serial. An amount that was given back is no item's in
/// particular: only where that was all, it was the price of each.
fn item_status(
    fulfillment: &Fulfillment,
    delivered: SerialId,
    replaced: Option<&Replaced>,
) -> &'static str {
    if replaced.is_some_and(|one| one.by.is_some()) {
        "REPLACED"
    } else if fulfillment.is_refunded(delivered) {
        Standing::Refunded.name()
    } else {
        Standing::Delivered.name()
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Fulfillment)]
pub(crate) struct FulfillmentAnswer<'a> {
    #[schema(value_type = String)]
    id: Id<FulfillmentId>,
    #[schema(value_type = String)]
    uniqid: Id<FulfillmentId>,
    external_order_id: &'a str,
    status: &'static str,
    channel: &'static str,
    test: bool,
    #[schema(value_type = Option<String>)]
    product_id: Option<Id<ProductId>>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Id<VariantId>>,
    product_title: Option<&'a str>,
    quantity: u32,
    unit_price: Option<MoneyText>,
    total: MoneyText,
    currency: CurrencyCode,
    customer_email: Option<&'a str>,
    #[schema(value_type = Vec<String>)]
    serials: Texts<'a>,
    lines: Vec<LineAnswer<'a>>,
    refunded_total: MoneyText,
    balance_after: MoneyText,
    metadata: &'a BTreeMap<String, String>,
    idempotency_key: Option<&'a str>,
    reused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    serials_withheld: Option<bool>,
    created_at: Time,
    updated_at: Time,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (stamp, contents) = (&self.fulfillment.stamp, &self.fulfillment.contents);
        let details = contents.details.as_ref();
        let single = match contents.lines.as_slice() {
            [line] => Some(line),
            _ => None,
        };
        let product = single.and(self.products.first()).and_then(Option::as_ref);
        let id = Id(self.id());
        FulfillmentAnswer {
            id,
            uniqid: id,
            external_order_id: contents.order_id.as_str(),
            status: self.fulfillment.standing().name(),
            channel: channel(contents.channel),
            test: self.test,
            product_id: single.map(|line| Id(line.sku.product)),
            variant_id: single.and_then(|line| line.sku.variant).map(Id),
            product_title: product.map(|product| product.title.as_str()),
            quantity: contents.lines.iter().map(FulfilledLine::quantity).sum(),
            unit_price: single.map(|line| self.money(line.unit_price)),
            total: self.money(contents.total),
            currency: CurrencyCode(self.currency),
            customer_email: self.email.as_ref().map(Opened::expose),
            serials: Texts(&self.serials),
            lines: self.lines(),
            refunded_total: self.money(self.fulfillment.refunded),
            balance_after: self.money(stamp.balance_after),
            metadata: details.map_or(&EMPTY, |details| &details.metadata),
            idempotency_key: details.and_then(|details| details.idempotency_key.as_deref()),
            reused: self.reused,
            serials_withheld: (self.shown == Serials::Withheld).then_some(true),
            created_at: Time(stamp.created_at),
            updated_at: Time(stamp.created_at),
        }
        .serialize(serializer)
    }
}
