//! What the hand-written wire types look like in `openapi.json`.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{
            AdditionalProperties, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat,
            SchemaType, Type,
        },
    },
};

use super::{
    fields::{Hidden, Nothing, Strings, Whole},
    money::{Amount, CurrencyCode, MoneyNumber, MoneyText, SumText},
    percent::Hundredths,
    time::Time,
};
use crate::events::Told;

/// Gives a type its name in the document, and the function that describes it.
macro_rules! described {
    ($($type:ty, $name:literal, $describe:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $describe.into()
            }
        }

        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    )*};
}

described! {
    MoneyText, "Money", text("A decimal with exactly the decimals of its currency.")
        .pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$"));
    SumText, "Sum", text("Amounts added up, with exactly the decimals of their currency.")
        .pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$"));
    CurrencyCode, "Currency", text("A code of ISO 4217.").pattern(Some("^[A-Z]{3}$"));
    Time, "Time", text("RFC 3339 in UTC with milliseconds.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    Amount, "Amount", amount();
    Hidden, "Hidden", text("Never told again.").format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)));
    MoneyNumber, "MoneyNumber", ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0))
        .description(Some("Money as a number, where clients of this surface expect one."));
    Hundredths, "Percent", ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0))
        .maximum(Some(100));
    Whole, "Whole", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    Told, "EventFacts", ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("What happened: fields by the name of the event. More may come."))
        .additional_properties(Some(AdditionalProperties::RefOr(
            ObjectBuilder::new().schema_type(SchemaType::AnyValue).into(),
        )));
    Nothing, "Nothing", ObjectBuilder::new().schema_type(Type::Object);
    Strings, "Strings", ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::RefOr(String::schema())));
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
}

fn amount() -> OneOfBuilder {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(r"^[0-9]+(\.[0-9]+)?$"));
    let number = ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0));
    OneOfBuilder::new().item(text).item(number).description(Some(
        "Read from its own text, never through a float: no more decimals than the currency has, no \
         exponent, no sign.",
    ))
}
