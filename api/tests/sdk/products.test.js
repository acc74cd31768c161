// `products.*` of the published package: a merchant's products, made, listed, found, changed and ended.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ShoppexApiError, ShoppexClient } from "@shoppexio/sdk";

import { start } from "./server.js";

let server, merchant;

before(async () => {
  server = await start();
  const { base_url: baseUrl, merchant: of } = server.demo;
  merchant = new ShoppexClient({ apiKey: of.key, baseUrl });
});

after(async () => {
  await server?.stop();
});

function title(name) {
  return `${name} ${process.pid}`;
}

/** The refusal that a call ends with. */
async function refused(code, status, call) {
  const refusal = await call().then(
    () => assert.fail("a refusal was expected"),
    (error) => error,
  );
  assert.ok(refusal instanceof ShoppexApiError, String(refusal));
  assert.equal(refusal.code, code);
  assert.equal(refusal.status, status);
}

test("a product is made, changed, found, stocked and ended", async () => {
  const { data: made } = await merchant.products.create({
    title: title("Orbit"),
    type: "SERIALS",
    base_price: 12.5,
    wholesale_price: "9.00",
    custom_fields: [{ name: "user", type: "TEXT", required: true }],
  });
  assert.equal(made.base_price, "12.50");
  assert.equal(made.uniqid, made.id);
  const { data: read } = await merchant.products.get(made.id);
  assert.deepEqual(read, made);

  const { data: changed } = await merchant.products.update(made.id, {
    base_price: "13.00",
    variants: [{ title: "Gold", base_price: 20 }],
  });
  assert.equal(changed.base_price, "13.00");
  assert.equal(changed.custom_fields.length, 1);
  const [gold] = changed.variants;
  const { data: added } = await merchant.products.addVariantSerials(made.id, gold.id, {
    serials: [`G1-${process.pid}`, `G2-${process.pid}`],
  });
  assert.equal(added.added_count, 2);
  const { data: stock } = await merchant.products.getStock(made.id);
  assert.equal(stock.variants[0].stock, 2);

  const found = await merchant.products.search({ q: title("orbit") });
  assert.deepEqual(found.data.map((each) => each.id), [made.id]);
  await merchant.products.delete(made.id);
  const { data: ended } = await merchant.products.get(made.id);
  assert.equal(ended.status, "ARCHIVED", "serials were stored for it");
  await refused("INVALID_STATE", 409, () => merchant.products.update(made.id, {}));
});

test("me tells who calls, and what it may do", async () => {
  const { data: me } = await merchant.me.get();
  assert.equal(me.shop.id, server.demo.merchant.id);
  assert.equal(me.mode, "live");
  const { data: able } = await merchant.me.getCapabilities();
  assert.deepEqual(able.scopes, me.scopes);
});

/** A product of its own with these variants. */
async function stocked(name, variants = []) {
  const { data } = await merchant.products.create({
    title: title(name),
    type: "SERIALS",
    base_price: "5.00",
    variants: variants.map((each) => ({ title: each, base_price: "5.00" })),
  });
  return data;
}

test("serials are added, listed, claimed and removed, and leave movements behind", async () => {
  const { id } = await stocked("Shelf");
  const texts = ["A", "B", "C", "D"].map((each) => `${each}-${process.pid}-${id}`);
  const { data: added } = await merchant.products.addSerials(id, { serials: texts });
  assert.deepEqual([added.added_count, added.stock], [4, 4]);
  const again = { serials: texts.join("\n"), remove_duplicates: true };
  assert.equal((await merchant.products.addSerials(id, again)).data.added_count, 0);
  await refused("VALIDATION_ERROR", 422, () => merchant.products.addSerials(id, { serials: texts }));

  const listed = await merchant.products.listSerials(id, { page: 1, limit: 3 });
  assert.deepEqual(listed.data.map((each) => each.serial), texts.slice(0, 3));
  assert.deepEqual([listed.pagination.total, listed.pagination.has_more], [4, true]);

  const options = { idempotencyKey: `pull-${process.pid}` };
  const { data: claimed } = await merchant.products.claimSerials(id, { amount: 2 }, options);
  assert.deepEqual([claimed.claimed_count, claimed.remaining_stock], [2, 2]);
  assert.deepEqual(claimed.serials.map((each) => each.serial), texts.slice(0, 2));
  const { data: same } = await merchant.products.claimSerials(id, { amount: 2 }, options);
  assert.deepEqual(same.serials, claimed.serials);
  await refused("OUT_OF_STOCK", 409, () => merchant.products.claimSerials(id, { amount: 3 }));

  const body = { serial_ids: listed.data.slice(1).map((each) => each.id) };
  const { data: removed } = await merchant.products.removeSerials(id, body);
  assert.equal(removed.removed_count, 1);
  assert.deepEqual(removed.skipped, [{ id: body.serial_ids[0], reason: "CLAIMED" }]);
  assert.equal((await merchant.products.getStock(id)).data.stock, 1);
  const moved = await merchant.products.listStockMovements(id, { limit: 10 });
  assert.deepEqual(
    moved.data.map((each) => [each.type, each.quantity]),
    [["removal", -1], ["claim", -2], ["restock", 4]],
  );
});

test("serials of a variant are its own", async () => {
  const { id, variants } = await stocked("Editions", ["Gold", "Silver"]);
  const [gold, silver] = variants.map((each) => each.id);
  const texts = [`G-${process.pid}-${id}`, `H-${process.pid}-${id}`];
  const { data: added } = await merchant.products.addVariantSerials(id, gold, { serials: texts });
  assert.equal(added.added_count, 2);
  const listed = await merchant.products.listVariantSerials(id, gold);
  assert.deepEqual(listed.data.map((each) => each.serial), texts);
  assert.equal((await merchant.products.listVariantSerials(id, silver)).pagination.total, 0);
  const body = { serial_ids: [listed.data[0].id] };
  const { data: other } = await merchant.products.removeVariantSerials(id, silver, body);
  assert.deepEqual([other.removed_count, other.skipped[0].reason], [0, "OTHER_PRODUCT"]);
  const { data: removed } = await merchant.products.removeVariantSerials(id, gold, body);
  assert.equal(removed.removed_count, 1);
  // Whose serials it would be is not said.
  await refused("VALIDATION_ERROR", 422, () => merchant.products.claimSerials(id, { amount: 1 }));
});

test("products are listed page by page or all at once", async () => {
  const all = await merchant.products.listAll({ limit: 2 });
  assert.equal(new Set(all.map((each) => each.id)).size, all.length);
  for (const { product_id: id } of server.demo.products) {
    assert.ok(all.some((each) => each.id === id));
  }
  const seen = [];
  for await (const each of merchant.products.iterateAll({ limit: 1 })) seen.push(each.id);
  assert.deepEqual(seen, all.map((each) => each.id));
  const page = await merchant.products.list({ page: 1, limit: 1 });
  assert.equal(page.data.length, 1);
});

test("a product that nobody knows of is gone once it is deleted", async () => {
  const { data: made } = await merchant.products.create({
    name: title("Draft"),
    type: "SERVICE",
    base_price: 1,
  });
  await merchant.products.delete(made.id);
  await refused("NOT_FOUND", 404, () => merchant.products.get(made.id));
});

test("wrong products and foreign ids are refused", async () => {
  await refused("VALIDATION_ERROR", 422, () =>
    merchant.products.create({ title: title("Free"), type: "SERIALS", base_price: -1 }),
  );
  await refused("NOT_FOUND", 404, () => merchant.products.get("prd_00000000000000000000000000"));
  await refused("NOT_FOUND", 404, () => merchant.products.get("x/../../dev/v1/me"));
  await refused("NOT_FOUND", 404, () => merchant.coupons.list());
});
