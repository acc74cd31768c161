//! The shelves of `/dev/v1`: serials as their merchant reads, removes and pulls them.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    catalog::stock::Stock,
    error::Code,
    inventory::{
        batches::{BatchAnswer, ReachedBatch},
        import::Imported,
        movements::StockMovement,
        pull::{PullSerials, PulledSerials},
        remove::{RemoveSerials, RemovedSerials},
        serial::SerialAnswer,
        trace::{TraceSerial, Traced},
        upload::UploadSerials,
    },
    replacements::{
        MerchantReplacement, ReplacementAnswer,
        decide::{DecideReplacement, IssueReplacement},
        request::RequestReplacement,
    },
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = shelves();
    all.extend(serials());
    all.extend(replacements());
    all.extend(records());
    all.push(
        Operation::new(
            "post",
            "/dev/v1/products/{id}/serials/claim",
            "Pull serials from the front of the shelf, all or none, and read them.",
        )
        .scope(Scope::ProductsWrite)
        .once()
        .takes::<PullSerials>()
        .answers::<PulledSerials>(200)
        .refuses(&[Code::OutOfStock, Code::ProductNotEligible]),
    );
    all
}

fn shelves() -> Vec<Operation> {
    let import = |path, summary| {
        Operation::new("post", path, summary)
            .scope(Scope::ProductsWrite)
            .once()
            .takes::<UploadSerials>()
            .answers::<Imported>(201)
            .refuses(&[Code::ProductNotEligible])
    };
    vec![
        Operation::new(
            "get",
            "/dev/v1/products/{id}/stock",
            "What is on the shelf of a product.",
        )
        .scope(Scope::ProductsRead)
        .answers::<Stock>(200),
        import(
            "/dev/v1/products/{id}/serials",
            "Store serials of a product, all or none.",
        ),
        import(
            "/dev/v1/products/{id}/variants/{variant}/serials",
            "Store serials of a variant, all or none.",
        ),
    ]
}

fn serials() -> Vec<Operation> {
    let filters = [
        Parameter::PAGE,
        Parameter::LIMIT,
        Parameter::PER_PAGE,
        Parameter::text(
            "status",
            "Statuses, with commas between them; else AVAILABLE.",
        ),
        Parameter::text("batch_id", "Of this upload."),
    ];
    let list = |path, summary| {
        Operation::new("get", path, summary)
            .scope(Scope::ProductsRead)
            .query(&filters)
            .lists_numbered::<SerialAnswer>()
    };
    let remove = |path, summary| {
        Operation::new("delete", path, summary)
            .scope(Scope::ProductsWrite)
            .once()
            .takes::<RemoveSerials>()
            .answers::<RemovedSerials>(200)
            .refuses(&[Code::ProductNotEligible])
    };
    vec![
        list(
            "/dev/v1/products/{id}/serials",
            "Serials of a product, in the order of sale. Who reads them is in the audit log.",
        ),
        list(
            "/dev/v1/products/{id}/variants/{variant}/serials",
            "Serials of a variant, in the order of sale. Who reads them is in the audit log.",
        ),
        remove(
            "/dev/v1/products/{id}/serials",
            "Remove serials that nobody has: once answered, none of them is sold.",
        ),
        remove(
            "/dev/v1/products/{id}/variants/{variant}/serials",
            "Remove serials of a variant that nobody has.",
        ),
    ]
}

fn records() -> Vec<Operation> {
    let movements = [
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::text("type", "Types of movements, with commas between them."),
        Parameter::text("variant_id", "Of this variant."),
        Parameter::FROM,
        Parameter::TO,
    ];
    let batches = [
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::text("product_id", "Of this product."),
    ];
    vec![
        Operation::new(
            "get",
            "/dev/v1/products/{id}/stock-movements",
            "What came onto the shelves of a product and what left them, newest first.",
        )
        .scope(Scope::ProductsRead)
        .query(&movements)
        .lists::<StockMovement>(),
        Operation::new(
            "get",
            "/dev/v1/serials/batches",
            "Uploads with what became of their serials, newest first.",
        )
        .scope(Scope::ProductsRead)
        .query(&batches)
        .lists::<BatchAnswer>(),
        Operation::new(
            "get",
            "/dev/v1/serials/batches/{bat}",
            "An upload, and whom its serials reached.",
        )
        .scope(Scope::ProductsRead)
        .answers::<ReachedBatch>(200),
        Operation::new(
            "post",
            "/dev/v1/serials/trace",
            "What became of a serial, by its text. Who asks is in the audit log.",
        )
        .scope(Scope::ProductsRead)
        .takes::<TraceSerial>()
        .answers::<Traced>(200),
    ]
}

fn replacements() -> Vec<Operation> {
    let filters = [
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::text("status", "Statuses, with commas between them."),
        Parameter::text("reseller_id", "Of this reseller."),
        Parameter::text("batch_id", "Of serials of this upload."),
    ];
    let decide = |path, summary| {
        Operation::new("post", path, summary)
            .scope(Scope::ResellerStockWrite)
            .once()
            .answers::<MerchantReplacement>(200)
            .refuses(&[Code::InvalidState])
    };
    vec![
        Operation::new(
            "post",
            "/reseller/v1/fulfillments/{id}/items/{item}/replacements",
            "Ask for the replacement of a delivered serial that is no good.",
        )
        .scope(Scope::FulfillmentsWrite)
        .once()
        .takes::<RequestReplacement>()
        .answers::<ReplacementAnswer>(201)
        .refuses(&[Code::ReplacementRefused]),
        Operation::new(
            "get",
            "/reseller/v1/replacements/{id}",
            "What became of a replacement.",
        )
        .scope(Scope::FulfillmentsRead)
        .answers::<ReplacementAnswer>(200),
        Operation::new(
            "get",
            "/dev/v1/resellers/replacements",
            "Replacements that resellers asked for, newest first.",
        )
        .scope(Scope::ResellerStockRead)
        .query(&filters)
        .query(&[Parameter::TEST])
        .lists::<MerchantReplacement>(),
        decide(
            "/dev/v1/resellers/replacements/{rpl}/issue",
            "Put another serial in the place of the one that is no good.",
        )
        .takes::<IssueReplacement>()
        .refuses(&[Code::OutOfStock, Code::ReplacementRefused]),
        decide(
            "/dev/v1/resellers/replacements/{rpl}/credit",
            "Give the price of the serial back.",
        )
        .takes::<DecideReplacement>()
        .refuses(&[Code::ReplacementRefused]),
        decide(
            "/dev/v1/resellers/replacements/{rpl}/reject",
            "Reject a request: it may be made again.",
        )
        .takes::<DecideReplacement>(),
    ]
}
