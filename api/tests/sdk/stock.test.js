// Wholesale with the published package: asked for, invoiced, paid, allocated, delivered and taken back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ShoppexApiError, ShoppexClient } from "@shoppexio/sdk";

import { start } from "./server.js";

let server, merchant, reseller, product;

before(async () => {
  server = await start();
  const { base_url: baseUrl, merchant: of, resellers, products } = server.demo;
  merchant = new ShoppexClient({ apiKey: of.key, baseUrl });
  reseller = resellers.find((each) => each.status === "ACTIVE" && each.mode === "BOTH").relationship_id;
  const plain = products.filter((each) => each.variant_ids.length === 0 && each.wholesale_price);
  product = plain.sort((a, b) => b.stock - a.stock)[0].product_id;
});

after(async () => {
  await server?.stop();
});

async function refused(code, status, call) {
  const refusal = await call().then(
    () => assert.fail("a refusal was expected"),
    (error) => error,
  );
  assert.ok(refusal instanceof ShoppexApiError, String(refusal));
  assert.equal(refusal.code, code);
  assert.equal(refusal.status, status);
}

function ask(fields) {
  return merchant.resellers.requestStockPurchase(reseller, { product_id: product, ...fields });
}

/** The items of one purchase. */
async function itemsOf(request) {
  const { data } = await merchant.resellers.inventory(reseller);
  return data.filter((each) => each.stock_request_id === request.id);
}

test("a purchase is invoiced, marked paid and allocated, once each", async () => {
  const { data: asked } = await ask({ quantity: 2 });
  assert.equal(asked.status, "REQUESTED");
  await refused("INVALID_STATE", 409, () =>
    merchant.resellers.allocateStockTransfer(reseller, asked.id),
  );
  const { data: invoiced } = await merchant.resellers.createStockPurchaseInvoice(reseller, asked.id);
  assert.equal(invoiced.status, "INVOICED");
  assert.equal(invoiced.invoice.amount, asked.total);
  for (const _ of ["first", "again"]) {
    const { data: paid } = await merchant.resellers.markStockTransferPaid(reseller, asked.id);
    assert.equal(paid.status, "ALLOCATED");
  }
  const { data: again } = await merchant.resellers.allocateStockTransfer(reseller, asked.id);
  assert.equal(again.counts.available, 2);
  assert.equal((await itemsOf(asked)).length, 2);
  const { data: listed } = await merchant.resellers.stockTransfers(reseller);
  assert.equal(listed[0].id, asked.id);
});

test("an item goes to one address, and what is left is taken back", async () => {
  const { data: bought } = await ask({ quantity: 2, coin: "BALANCE" });
  assert.equal(bought.status, "ALLOCATED");
  const [item] = await itemsOf(bought);
  const deliver = (email) => merchant.resellers.deliverInventoryItem(reseller, item.id, { email });
  const { data: delivered } = await deliver("ann@example.com");
  assert.equal(delivered.status, "DELIVERED");
  const { data: again } = await deliver("Ann@Example.com");
  assert.equal(again.serial, delivered.serial);
  await refused("INVALID_STATE", 409, () => deliver("dora@example.com"));
  const { data: revoked } = await merchant.resellers.revokeStockTransfer(reseller, bought.id);
  assert.equal(revoked.status, "REVOKED");
  assert.equal(revoked.refunded, bought.unit_price);
  assert.deepEqual([revoked.revoked_count, revoked.delivered_count], [1, 1]);
});

test("ids of nobody are not found", async () => {
  const nobody = "stk_00000000000000000000000000";
  await refused("NOT_FOUND", 404, () => merchant.resellers.markStockTransferPaid(reseller, nobody));
  await refused("NOT_FOUND", 404, () => merchant.resellers.revokeStockTransfer(reseller, nobody));
});
