// Customers pay on a real chain: in parts, too little, too late. What they bought is delivered once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { cents, startShop } from "./shop.js";

let shop, merchant;

before(async () => {
  shop = await startShop();
  merchant = shop.merchant;
  await shop.takesToken();
});

after(() => shop?.stop());

/** Sends a form of a page, and gives where it leads. */
async function submit(path, fields) {
  const response = await fetch(shop.demo.base_url + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    redirect: "manual",
  });
  assert.equal(response.status, 303, await response.text());
  return response.headers.get("location");
}

/** A customer's invoice, and its page. */
async function buy(email) {
  const product = shop.demo.products.find(({ title }) => title.startsWith("Antivirus"));
  const visit = await submit(`/checkout/p/${product.product_id}`, { quantity: "1", email });
  const page = await submit(visit, { email, coin: "TOKEN" });
  const { data } = await merchant.ask("GET", "/dev/v1/invoices?purpose=checkout&limit=1");
  return { page, ...data[0] };
}

async function read(page) {
  return (await fetch(shop.demo.base_url + page)).text();
}

async function until(invoice, status) {
  await merchant.told(
    ({ event, data }) =>
      event === "invoice:updated" && data.invoice_id === invoice.id && data.status === status,
  );
  return merchant.read(invoice);
}

test("what is paid in two parts is delivered with the second", async () => {
  const bought = await buy("parts@example.com");
  const { address } = bought.pay;
  const page = await read(bought.page);
  assert.ok(page.includes(`<pre>${address}</pre>`) && page.includes("ethereum:0x"), page);
  await shop.pay(address, 1000);
  const part = await until(bought, "UNDERPAID");
  assert.equal(part.received, "10.00");
  assert.ok((await read(bought.page)).includes("Send the rest"));
  await shop.pay(address, cents(bought.amount) - 1000);
  const done = await until(bought, "COMPLETED");
  assert.deepEqual([done.received, done.overpaid], [bought.amount, "0.00"]);
  await shop.chain.mine(300);
  assert.equal((await merchant.read(bought)).received, bought.amount);
});

test("half a percent too little is enough, and more is told", async () => {
  const [little, much] = [await buy("little@example.com"), await buy("much@example.com")];
  await shop.pay(little.pay.address, Math.ceil(cents(little.amount) * 0.995));
  assert.equal((await until(little, "COMPLETED")).overpaid, "0.00");
  await shop.pay(much.pay.address, cents(much.amount) + 150);
  assert.equal((await until(much, "COMPLETED")).overpaid, "1.50");
});

test("money that comes after the end buys all the same", async () => {
  const bought = await buy("late@example.com");
  await merchant.cancel(bought);
  await shop.pay(bought.pay.address, cents(bought.amount));
  assert.equal((await until(bought, "COMPLETED")).received, bought.amount);
});

test("the merchant takes too little for the price", async () => {
  const bought = await buy("accept@example.com");
  await shop.pay(bought.pay.address, 1);
  await until(bought, "UNDERPAID");
  const { data } = await merchant.ask("POST", `/dev/v1/invoices/${bought.id}/accept`);
  assert.deepEqual([data.status, data.received], ["COMPLETED", "0.01"]);
});
