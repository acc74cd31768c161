// A payout's transaction is looked for on its chain: recipient, token, amount and depth.

import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { after, before, test } from "node:test";

import { HDNodeWallet, parseUnits } from "ethers";
import pg from "pg";

import { start } from "../sdk/server.js";
import { startChain } from "./anvil.js";
import { Merchant } from "./consign.js";

const CONFIRMATIONS = 3;
const BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

let chain, token, other, server, merchant, reseller, recipient;

before(async () => {
  chain = await startChain();
  [token, other] = [await chain.deployToken("Right"), await chain.deployToken("Wrong")];
  server = await start({ CONSIGN_CHAINS__BASE__RPC_URL: chain.url });
  merchant = new Merchant(server.demo);
  reseller = server.demo.resellers.find((one) => one.mode === "BOTH");
  recipient = HDNodeWallet.createRandom().address;
  const { status, answer } = await merchant.replaceMethods([
    {
      coin: "USDC-BASE",
      provider: "evm_erc20",
      xpub: HDNodeWallet.createRandom(undefined, "m/44'/60'/0'").neuter().extendedKey,
      network: "base",
      token: await token.getAddress(),
      confirmations: CONFIRMATIONS,
    },
  ]);
  assert.equal(status, 200, JSON.stringify(answer));
  await earn();
});

after(async () => {
  await server?.stop();
  await chain?.stop();
});

/** The reseller has earned and may ask for it. */
async function earn() {
  const database = new pg.Client({ connectionString: server.demo.database_url });
  await database.connect();
  await database.query("UPDATE merchants SET storefront_url = 'https://shop.example/'");
  await database.end();
  await merchant.ask("PATCH", "/dev/v1/reseller-program", {
    default_commission_percent: 50,
    min_payout_threshold: 1,
    payout_assets: ["USDC", "EURC"].map((asset) => ({ asset, network: "BASE" })),
  });
  // `fetch` would say that it is no browser that goes there.
  const [visited] = await once(
    get(`${server.demo.base_url}/r/demo-both`, { headers: { "user-agent": BROWSER } }),
    "response",
  );
  visited.resume();
  const attribution = new URL(visited.headers.location).searchParams.get("consign_ref");
  const { data: sale } = await merchant.ask("POST", "/dev/v1/resellers/sales", {
    attribution_token: attribution,
    external_invoice_id: "CHAIN-1",
    product_id: server.demo.products[0].product_id,
    quantity: 1,
    amount: "500.00",
  });
  const path = `/dev/v1/resellers/${reseller.relationship_id}/commissions`;
  await merchant.ask("POST", `${path}/${sale.commission.id}/approve`);
}

/** A payout that waits to be paid. */
async function approved(amount, asset = "USDC") {
  const page = { "sec-fetch-site": "same-origin" };
  const { email, password } = reseller;
  const signedIn = await merchant.call("POST", "/portal/v1/session", {
    body: { email, password },
    headers: page,
  });
  const steppedUp = await merchant.call("POST", "/portal/v1/step-up", {
    body: { password },
    headers: { ...page, cookie: signedIn.cookie },
  });
  const path = `/portal/v1/programs/${reseller.relationship_id}/payouts`;
  const asked = await merchant.call("POST", path, {
    body: { amount, asset, network: "BASE", address: recipient },
    headers: { ...page, cookie: steppedUp.cookie },
  });
  assert.equal(asked.status, 201, JSON.stringify(asked.answer));
  const payout = asked.answer.data;
  const { data } = await merchant.ask("POST", `${pathOf(payout)}/force-approve`, {});
  return data;
}

const pathOf = ({ id }) => `/dev/v1/resellers/${reseller.relationship_id}/payouts/${id}`;

async function complete(payout, body) {
  const headers = { authorization: `Bearer ${server.demo.merchant.key}` };
  return merchant.call("POST", `${pathOf(payout)}/complete`, { body, headers });
}

async function send(amount, { to = recipient, which = token } = {}) {
  const sent = await which.transfer(to, parseUnits(amount, 18));
  return (await sent.wait()).hash;
}

test("a transaction that paid a payout completes it, once it is deep enough", async () => {
  const payout = await approved("25.00");
  const hash = await send("25.5");
  const early = await complete(payout, { tx_hash: hash });
  assert.equal(early.status, 409, JSON.stringify(early.answer));
  assert.equal(early.answer.error.code, "INVALID_STATE");
  await chain.mine(CONFIRMATIONS - 1);
  const done = await complete(payout, { tx_hash: hash });
  assert.equal(done.status, 200, JSON.stringify(done.answer));
  const { status, proof, asset_amount: amount, tx_hash: told } = done.answer.data;
  assert.deepEqual([status, proof, amount, told], ["COMPLETED", "VERIFIED", "25.50", hash]);
  const again = await complete(payout, { tx_hash: hash });
  assert.equal(again.answer.data.proof, "VERIFIED");
});

test("a transaction that paid somebody or something else completes nothing", async () => {
  const payout = await approved("30.00");
  const stranger = HDNodeWallet.createRandom().address;
  const wrong = [
    [await send("30", { to: stranger }), "payout's address"],
    [await send("30", { which: other }), "nothing of this asset"],
    [await send("29.99"), "29.99"],
    [`0x${"ab".repeat(32)}`, "no block"],
  ];
  await chain.mine(CONFIRMATIONS);
  for (const [hash, says] of wrong) {
    const { status, answer } = await complete(payout, { tx_hash: hash });
    assert.equal(status, 422, JSON.stringify(answer));
    assert.ok(JSON.stringify(answer.error).includes(says), JSON.stringify(answer));
  }
  const without = await complete(payout, {});
  assert.equal(without.answer.data.proof, "NONE");
});

test("what is paid in an asset that nobody watches is taken at its word", async () => {
  const payout = await approved("20.00", "EURC");
  const { answer } = await complete(payout, { tx_hash: `0x${"cd".repeat(32)}` });
  assert.equal(answer.data.proof, "UNVERIFIED");
});

test("a chain that does not answer completes nothing", async () => {
  const payout = await approved("21.00");
  const hash = await send("21");
  await chain.mine(CONFIRMATIONS);
  await chain.stop();
  const { status, answer } = await complete(payout, { tx_hash: hash });
  assert.equal(status, 502, JSON.stringify(answer));
  assert.equal(answer.error.code, "PROVIDER_UNAVAILABLE");
});
