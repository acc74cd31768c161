// Every method of `resellerApi` in the published package, as a shop would call it.
//
// The package is used as it comes from npm. It hides statuses and retries nothing, so what a shop
// relies on is in the bodies: `reused`, stable serials, and refusals that change nothing.

import assert from "node:assert/strict";
import { get } from "node:http";
import { after, before, test } from "node:test";

import { ShoppexApiError, ShoppexClient } from "@shoppexio/sdk";

import { start } from "./server.js";

const EMAIL = "ann+k@example.com";

let server, rich, broke, shop, plain, scarce;
let orders = 0;

before(async () => {
  server = await start();
  const { resellers, products, base_url: baseUrl } = server.demo;
  const active = resellers
    .filter((each) => each.status === "ACTIVE" && each.mode !== "AFFILIATE")
    .sort((a, b) => cents(b.balance) - cents(a.balance));
  rich = active.find((each) => each.dynamic_key) ?? active[0];
  broke = active.at(-1);
  const sold = products
    .filter((each) => each.variant_ids.length === 0 && each.wholesale_price && each.stock > 0)
    .sort((a, b) => b.stock - a.stock);
  plain = sold[0];
  scarce = sold.at(-1);
  assert.ok(plain.stock > 100 && scarce.stock <= 20, "the demo has a full and a nearly empty shelf");
  shop = client(rich.key, baseUrl);
});

after(async () => {
  await server?.stop();
});

function client(apiKey, baseUrl = server.demo.base_url) {
  return new ShoppexClient({ apiKey, baseUrl });
}

/** Money text as a number of its smallest unit; the demo's currency has two digits. */
function cents(money) {
  assert.match(money, /^\d+\.\d\d$/);
  return Number(money.replace(".", ""));
}

function order(product, fields = {}) {
  orders += 1;
  return {
    external_order_id: `sdk-${process.pid}-${orders}`,
    product_id: product.product_id,
    customer_email: EMAIL,
    ...fields,
  };
}

async function available(of = shop) {
  return cents((await of.resellerApi.balance()).data.available);
}

/** What a call costs the balance, by reading it before and after. */
async function spent(call, of = shop) {
  const before = await available(of);
  await call();
  return before - (await available(of));
}

/** The refusal that a call ends with; whatever else it throws is thrown on. */
async function refusalOf(call) {
  try {
    await call();
  } catch (error) {
    if (error instanceof ShoppexApiError) return error;
    throw error;
  }
  return assert.fail("a refusal was expected");
}

/** The refusal of a call, with the code it must have and the proof that nothing was paid. */
async function refused(code, status, call, of = shop) {
  let refusal;
  const cost = await spent(async () => {
    refusal = await refusalOf(call);
  }, of);
  assert.equal(refusal.code, code);
  assert.equal(refusal.status, status);
  assert.equal(cost, 0, "a refusal costs nothing");
  assert.ok(refusal.requestId, "a refusal can be asked about");
  assert.ok(refusal.docUrl.endsWith(`/docs/errors#${code}`));
  assert.ok(Array.isArray(refusal.details));
  return refusal;
}

/** A call as shops make it that only know an address: no header of ours at all. */
function plainGet(url) {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode, body }));
    }).on("error", reject);
  });
}

test("me tells who calls and for which shop", async () => {
  const { data } = await shop.resellerApi.me();
  assert.equal(data.relationship_id, rich.relationship_id);
  assert.equal(data.status, "ACTIVE");
  assert.equal(data.mode, rich.mode);
  assert.equal(data.shop.id, server.demo.merchant.id);
  assert.ok(data.shop.name && data.shop.currency);
  assert.ok(rich.key.startsWith(data.key.prefix), "the key is told by its public part");
  assert.ok(!JSON.stringify(data).includes(rich.key), "never by itself");
});

test("balance is exact decimal text", async () => {
  const { data } = await shop.resellerApi.balance();
  assert.equal(cents(data.available), cents(data.balance) - cents(data.held));
  assert.ok(data.currency);
});

test("fulfill delivers and debits exactly its total", async () => {
  let delivered;
  const cost = await spent(async () => {
    delivered = (await shop.resellerApi.fulfill(order(plain, { quantity: 3 }))).data;
  });
  assert.equal(delivered.status, "DELIVERED");
  assert.equal(delivered.reused, false);
  assert.equal(new Set(delivered.serials).size, 3);
  assert.equal(cents(delivered.total), 3 * cents(delivered.unit_price));
  assert.equal(delivered.unit_price, plain.wholesale_price);
  assert.equal(cost, cents(delivered.total));
  assert.equal(delivered.customer_email, EMAIL);
});

test("fulfill again with the same order id gives the same serials for nothing", async () => {
  const body = order(plain, { quantity: 2 });
  const first = (await shop.resellerApi.fulfill(body)).data;
  const cost = await spent(async () => {
    const again = (await shop.resellerApi.fulfill(body)).data;
    assert.equal(again.reused, true);
    assert.deepEqual({ ...again, reused: false }, first);
  });
  assert.equal(cost, 0);
});

test("fulfill with the same order id and another body is refused and shows no serial", async () => {
  const body = order(plain);
  const first = (await shop.resellerApi.fulfill(body)).data;
  const refusal = await refused("ORDER_MISMATCH", 422, () =>
    shop.resellerApi.fulfill({ ...body, quantity: 2 }),
  );
  assert.ok(!JSON.stringify(refusal.raw).includes(first.serials[0]));
});

test("fulfill many times at once is one delivery", async () => {
  const body = order(plain);
  let answers;
  const cost = await spent(async () => {
    const calls = Array.from({ length: 24 }, () => shop.resellerApi.fulfill(body));
    answers = (await Promise.all(calls)).map((answer) => answer.data);
  });
  const serials = new Set(answers.flatMap((answer) => answer.serials));
  assert.equal(serials.size, 1);
  assert.equal(cost, cents(answers[0].total));
  assert.ok(answers.filter((answer) => !answer.reused).length <= 1);
});

test("fulfill given up by the client is delivered once when it is sent again", async () => {
  const body = order(plain);
  const hasty = new ShoppexClient({
    apiKey: rich.key,
    baseUrl: server.demo.base_url,
    timeoutMs: 1,
  });
  let delivered;
  const cost = await spent(async () => {
    await hasty.resellerApi.fulfill(body).catch((error) => {
      assert.ok(!(error instanceof ShoppexApiError), "a bare abort, not an answer");
    });
    delivered = (await shop.resellerApi.fulfill(body)).data;
  });
  assert.equal(delivered.serials.length, 1);
  assert.equal(cost, cents(delivered.total));
});

test("fulfill with an empty balance is refused and names both amounts", async () => {
  const poor = client(broke.key);
  const quantity = 100;
  assert.ok(cents(broke.balance) < quantity * cents(plain.wholesale_price));
  const refusal = await refused(
    "INSUFFICIENT_BALANCE",
    402,
    () => poor.resellerApi.fulfill(order(plain, { quantity })),
    poor,
  );
  const details = Object.fromEntries(refusal.details.map(({ field, message }) => [field, message]));
  assert.ok(cents(details.required) > cents(details.available));
});

test("fulfill from an empty shelf is refused and leaves the order id free", async () => {
  const takeAll = async () => {
    for (;;) await shop.resellerApi.fulfill(order(scarce));
  };
  assert.equal((await refusalOf(takeAll)).code, "OUT_OF_STOCK");
  const body = order(scarce);
  await refused("OUT_OF_STOCK", 409, () => shop.resellerApi.fulfill(body));
  const other = await shop.resellerApi.fulfill({ ...body, product_id: plain.product_id });
  assert.equal(other.data.reused, false);
});

test("fulfill with an unknown key is refused", async () => {
  const stranger = client(rich.key.replace("crk_live_", "crk_live_0"));
  const refusal = await refusalOf(() => stranger.resellerApi.me());
  assert.equal(refusal.code, "UNAUTHORIZED");
  assert.equal(refusal.status, 401);
});

test("getFulfillment shows what was delivered, and nothing else", async () => {
  const delivered = (await shop.resellerApi.fulfill(order(plain))).data;
  const { data } = await shop.resellerApi.getFulfillment(delivered.id);
  assert.deepEqual(data.serials, delivered.serials);
  assert.equal(data.external_order_id, delivered.external_order_id);
  await refused("NOT_FOUND", 404, () => client(broke.key).resellerApi.getFulfillment(delivered.id));
  await refused("NOT_FOUND", 404, () => shop.resellerApi.getFulfillment("ful_/../me"));
});

test("dynamicFulfillmentUrl delivers without any header and replays", async () => {
  const body = order(plain, { quantity: 2 });
  const url = shop.resellerApi.dynamicFulfillmentUrl({
    apiKey: rich.dynamic_key,
    externalOrderId: body.external_order_id,
    productId: body.product_id,
    customerEmail: body.customer_email,
    quantity: body.quantity,
  });
  let first;
  const cost = await spent(async () => {
    const answer = await plainGet(url);
    assert.ok([200, 201].includes(answer.status), answer.body);
    first = JSON.parse(answer.body).data;
  });
  assert.equal(first.serials.length, 2);
  assert.equal(first.customer_email, EMAIL, "the plus sign arrives as one");
  assert.equal(cost, cents(first.total));
  const again = JSON.parse((await plainGet(url)).body).data;
  assert.equal(again.reused, true);
  assert.deepEqual(again.serials, first.serials);
  const throughTheApi = (await shop.resellerApi.fulfill(body)).data;
  assert.equal(throughTheApi.id, first.id, "a retry through another channel is a replay");
});

test("dynamicFulfillmentUrl of a product with variants names one", async () => {
  const product = server.demo.products.find((each) => each.variant_ids.length > 0);
  const url = shop.resellerApi.dynamicFulfillmentUrl({
    apiKey: rich.dynamic_key,
    externalOrderId: order(product).external_order_id,
    productId: product.product_id,
    variantId: product.variant_ids[0],
    customerEmail: EMAIL,
  });
  const { data } = JSON.parse((await plainGet(url)).body);
  assert.equal(data.variant_id, product.variant_ids[0]);
  assert.equal(data.serials.length, 1);
});
