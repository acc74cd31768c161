// `webhooks.*` of the published package, and what arrives: checked by the library of Standard Webhooks.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { ShoppexApiError, ShoppexClient } from "@shoppexio/sdk";
import { Webhook } from "standardwebhooks";

import { start } from "./server.js";

const PATIENCE_MS = 60_000;

let server, merchant, receiver, url;
const arrived = [];
let tell = () => {};

before(async () => {
  server = await start();
  const { base_url: baseUrl, merchant: of } = server.demo;
  merchant = new ShoppexClient({ apiKey: of.key, baseUrl });
  receiver = createServer(async (request, response) => {
    const parts = await request.toArray();
    arrived.push({ headers: request.headers, body: Buffer.concat(parts).toString("utf8") });
    response.writeHead(204).end();
    tell();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  url = `http://127.0.0.1:${receiver.address().port}/hook`;
});

after(async () => {
  receiver?.close();
  await server?.stop();
});

/** The next request that the receiver got. */
async function next() {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  while (arrived.length === 0) {
    await new Promise((resolve, reject) => {
      tell = resolve;
      deadline.onabort = () => reject(new Error("nothing arrived"));
    });
  }
  return arrived.shift();
}

test("a webhook is made, listed, changed, tried, rotated and ended", async () => {
  const { data: events } = await merchant.webhooks.listEvents();
  const sold = events.find((one) => one.event === "fulfillment:created");
  assert.equal(sold.sample.event, "fulfillment:created");

  const { data: made } = await merchant.webhooks.create({ url, events: ["fulfillment:created"] });
  assert.match(made.secret, /^whsec_/);
  const listed = await merchant.webhooks.listAll();
  assert.ok(listed.some((one) => one.id === made.id && !("secret" in one)));

  const { data: sent } = await merchant.webhooks.test(made.id);
  const trial = await next();
  const told = new Webhook(made.secret).verify(trial.body, trial.headers);
  assert.equal(told.event, "webhook:test");
  assert.equal(trial.headers["webhook-id"], sent.event_id);
  const forged = () => new Webhook(made.secret).verify(`${trial.body} `, trial.headers);
  assert.throws(forged, /signature/i);

  const { data: rotated } = await merchant.webhooks.rotateSecret(made.id, { overlap_hours: 1 });
  await merchant.webhooks.test(made.id);
  const both = await next();
  for (const secret of [made.secret, rotated.secret]) {
    assert.equal(new Webhook(secret).verify(both.body, both.headers).event, "webhook:test");
  }

  const { data: paused } = await merchant.webhooks.update(made.id, { status: "PAUSED" });
  assert.equal(paused.status, "PAUSED");
  await merchant.webhooks.delete(made.id);
  const gone = await merchant.webhooks.get(made.id).catch((error) => error);
  assert.ok(gone instanceof ShoppexApiError);
  assert.equal(gone.status, 404);
});

test("an order arrives signed, and the log says so", async () => {
  const { data: made } = await merchant.webhooks.create({ url, events: ["fulfillment:created"] });
  const { resellers, products, base_url: baseUrl } = server.demo;
  const rich = resellers.find(
    (each) => each.status === "ACTIVE" && each.mode !== "AFFILIATE" && each.dynamic_key,
  );
  const shop = new ShoppexClient({ apiKey: rich.key, baseUrl });
  const plain = products
    .filter((each) => each.variant_ids.length === 0 && each.wholesale_price && each.stock > 0)
    .sort((a, b) => b.stock - a.stock)[0];
  const { data: order } = await shop.resellerApi.fulfill({
    external_order_id: `hook-${process.pid}`,
    product_id: plain.product_id,
    customer_email: "ann@example.com",
  });
  const { headers, body } = await next();
  const event = new Webhook(made.secret).verify(body, headers);
  assert.equal(event.data.fulfillment_id, order.id);
  assert.ok(!body.includes(order.serials[0]));

  const logs = await merchant.webhooks.listAllLogs({ webhook_id: made.id });
  assert.equal(logs.length, 1);
  assert.equal(logs[0].event_id, event.id);
  const again = await merchant.webhooks.retryLog(logs[0].id).catch((error) => error);
  // It was delivered, or is just being noted as such.
  assert.ok(again.status === 409 || again.data.id === logs[0].id);
});
