//! Webhooks, of both sides: the same calls on other paths.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    webhooks::{
        WebhookDelivery, WebhookView, WebhookWithSecret, change::UpdateWebhook,
        create::CreateWebhook, rotate::RotateSecret, samples::WebhookEvent,
    },
    wire::fields::Nothing,
};

/// Where a side has its webhooks.
struct Paths {
    all: &'static str,
    events: &'static str,
    logs: &'static str,
    retry: &'static str,
    one: &'static str,
    test: &'static str,
    rotate: &'static str,
}

const DEV: Paths = Paths {
    all: "/dev/v1/webhooks",
    events: "/dev/v1/webhooks/events",
    logs: "/dev/v1/webhooks/logs",
    retry: "/dev/v1/webhooks/logs/{dlv}/retry",
    one: "/dev/v1/webhooks/{whk}",
    test: "/dev/v1/webhooks/{whk}/test",
    rotate: "/dev/v1/webhooks/{whk}/rotate-secret",
};
const PORTAL: Paths = Paths {
    all: "/portal/v1/programs/{rel}/webhooks",
    events: "/portal/v1/programs/{rel}/webhooks/events",
    logs: "/portal/v1/programs/{rel}/webhooks/logs",
    retry: "/portal/v1/programs/{rel}/webhooks/logs/{dlv}/retry",
    one: "/portal/v1/programs/{rel}/webhooks/{whk}",
    test: "/portal/v1/programs/{rel}/webhooks/{whk}/test",
    rotate: "/portal/v1/programs/{rel}/webhooks/{whk}/rotate-secret",
};
const LOGS: [Parameter; 6] = [
    Parameter::text("webhook_id", "Of this webhook."),
    Parameter::text(
        "status",
        "PENDING, RETRYING, DELIVERED, FAILED, with commas between them.",
    ),
    Parameter::text("event", "Of this event."),
    Parameter::PAGE,
    Parameter::LIMIT,
    Parameter::PER_PAGE,
];

pub(super) fn dev() -> Vec<Operation> {
    operations(&DEV, |method, path, summary| {
        let scope = if method == "get" {
            Scope::WebhooksRead
        } else {
            Scope::WebhooksWrite
        };
        Operation::new(method, path, summary).scope(scope)
    })
}

pub(super) fn portal() -> Vec<Operation> {
    operations(&PORTAL, Operation::of_session)
}

fn operations(
    at: &Paths,
    of: fn(&'static str, &'static str, &'static str) -> Operation,
) -> Vec<Operation> {
    vec![
        of("get", at.all, "Where events are sent.")
            .query(&[Parameter::LIMIT, Parameter::CURSOR])
            .lists::<WebhookView>(),
        of(
            "post",
            at.all,
            "Have events sent to an address. Its secret is told once.",
        )
        .once()
        .takes::<CreateWebhook>()
        .answers::<WebhookWithSecret>(201)
        .refuses(&[Code::InvalidState]),
        of(
            "get",
            at.events,
            "The events that can be sent, each with a sample.",
        )
        .answers_all::<WebhookEvent>(),
        of(
            "get",
            at.logs,
            "What became of events, newest first, for two weeks.",
        )
        .query(&LOGS)
        .lists_numbered::<WebhookDelivery>(),
        of("post", at.retry, "Send an event again that failed.")
            .once()
            .takes::<Nothing>()
            .answers::<WebhookDelivery>(200)
            .refuses(&[Code::InvalidState]),
        of("get", at.one, "One webhook.").answers::<WebhookView>(200),
        of(
            "patch",
            at.one,
            "Change a webhook, pause it, or have it go on.",
        )
        .once()
        .takes::<UpdateWebhook>()
        .answers::<WebhookView>(200),
        of("delete", at.one, "Send it nothing any more.")
            .once()
            .takes::<Nothing>()
            .answers_nothing(),
        of(
            "post",
            at.test,
            "Send something that is no event, to see whether it arrives.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<WebhookDelivery>(201)
        .refuses(&[Code::InvalidState]),
        of(
            "post",
            at.rotate,
            "Another secret; the old one signs beside it for a while.",
        )
        .once()
        .takes::<RotateSecret>()
        .answers::<WebhookWithSecret>(200),
    ]
}
