// Wholesale purchases that resellers pay on a real chain: in parts, too little, too much, too late. The serials are
// given out once, and what buys nothing goes to the balance.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { cents, startShop } from "./shop.js";

let shop, merchant, reseller;

before(async () => {
  shop = await startShop();
  merchant = shop.merchant;
  await shop.takesToken();
  reseller = shop.demo.resellers.find((one) => one.mode === "BOTH");
});

after(() => shop?.stop());

const own = (path) => `/dev/v1/resellers/${reseller.relationship_id}/${path}`;

/** A purchase of two units that waits for tokens. */
async function want() {
  const product = shop.demo.products.find(({ title }) => title.startsWith("Antivirus"));
  const body = { product_id: product.product_id, quantity: 2, coin: "TOKEN" };
  const { data } = await merchant.ask("POST", own("stock-purchases"), body);
  assert.deepEqual([data.status, data.invoice.status], ["INVOICED", "OPEN"]);
  assert.equal(data.invoice.pay.coin_amount, data.total);
  return data;
}

const read = async ({ id }) => (await merchant.ask("GET", own(`stock-transfers/${id}`))).data;

const pay = ({ invoice }, amount) => shop.pay(invoice.pay.address, amount);

/** Waits until the purchase came to have this status. */
async function until(purchase, status) {
  await merchant.told(
    ({ event, data }) =>
      event === "stock_request:updated" &&
      data.stock_request_id === purchase.id &&
      data.status === status,
  );
  return read(purchase);
}

/** Waits until its invoice came to have this status. */
async function untilInvoice(purchase, status) {
  await merchant.told(
    ({ event, data }) =>
      event === "invoice:updated" &&
      data.invoice_id === purchase.invoice.id &&
      data.status === status,
  );
  return read(purchase);
}

/** What went to the balance for purchases, as sums. */
async function credits() {
  const { data } = await merchant.ask("GET", own("balance/ledger?kind=STOCK_REFUND&limit=100"));
  return data.map(({ amount }) => amount).sort();
}

test("a purchase has an address of its own, and is given out with the second part of its price", async () => {
  const [wanted, other] = [await want(), await want()];
  assert.notEqual(wanted.invoice.pay.address, other.invoice.pay.address);
  await pay(wanted, 150);
  const part = await untilInvoice(wanted, "UNDERPAID");
  assert.deepEqual(
    [part.status, part.invoice.received, part.counts.available],
    ["INVOICED", "1.50", 0],
  );
  await pay(wanted, cents(wanted.total) - 150);
  const done = await until(wanted, "ALLOCATED");
  assert.deepEqual(
    [done.invoice.status, done.invoice.received, done.invoice.overpaid, done.counts.available],
    ["COMPLETED", wanted.total, "0.00", 2],
  );
  await shop.chain.mine(300);
  assert.equal((await read(wanted)).invoice.received, wanted.total);
  assert.deepEqual(await credits(), []);
  await merchant.ask("POST", own(`stock-transfers/${other.id}/cancel`));
});

test("the merchant takes too little for the price", async () => {
  const wanted = await want();
  await pay(wanted, 1);
  await untilInvoice(wanted, "UNDERPAID");
  await merchant.ask("POST", `/dev/v1/invoices/${wanted.invoice.id}/accept`);
  const done = await read(wanted);
  assert.deepEqual([done.status, done.invoice.received], ["ALLOCATED", "0.01"]);
});

test("what is too much goes to the balance, and so does what comes for a purchase that its merchant ended", async () => {
  const wanted = await want();
  await pay(wanted, cents(wanted.total) + 250);
  const done = await until(wanted, "ALLOCATED");
  assert.deepEqual([done.invoice.status, done.invoice.overpaid], ["COMPLETED", "2.50"]);
  await merchant.told(({ event, data }) => event === "balance:credited" && data.amount === "2.50");
  assert.deepEqual(await credits(), ["2.50"]);

  const ended = await want();
  await merchant.ask("POST", own(`stock-transfers/${ended.id}/cancel`));
  await pay(ended, cents(ended.total));
  const { total } = ended;
  await merchant.told(({ event, data }) => event === "balance:credited" && data.amount === total);
  const vain = await read(ended);
  assert.deepEqual([vain.status, vain.invoice.status], ["CANCELLED", "REFUNDED"]);
  assert.deepEqual(await credits(), ["2.50", total].sort());
});

test("what the merchant saw first is not taken a second time from the chain", async () => {
  const [said, seen] = [await want(), await want()];
  await merchant.ask("POST", own(`stock-transfers/${said.id}/mark-paid`), { reference: "BANK-1" });
  assert.equal((await read(said)).status, "ALLOCATED");
  await pay(said, cents(said.total));
  await pay(seen, cents(seen.total));
  await until(seen, "ALLOCATED");
  const marked = await read(said);
  assert.deepEqual(
    [marked.invoice.received, marked.invoice.overpaid, marked.payment_reference],
    [said.total, "0.00", "BANK-1"],
  );
  assert.deepEqual(await credits(), ["2.50", said.total].sort());
});
