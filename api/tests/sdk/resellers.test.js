// `resellerProgram.*` and `resellers.*` of the published package, as a merchant would call them.
//
// What they change is undone, or done to an invited person of this run: the other tests use the cast.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ShoppexApiError, ShoppexClient } from "@shoppexio/sdk";

import { start } from "./server.js";

const ORIGIN = "sec-fetch-site";

let server, merchant, baseUrl;

before(async () => {
  server = await start();
  baseUrl = server.demo.base_url;
  merchant = new ShoppexClient({ apiKey: server.demo.merchant.key, baseUrl });
});

after(async () => {
  await server?.stop();
});

function address(name) {
  return `${name}-${process.pid}@partner.example`;
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
  return refusal;
}

/** What an invited person does in the browser. */
async function join(invitation) {
  const response = await fetch(`${baseUrl}/portal/v1/invitations/${invitation.token}/accept`, {
    method: "POST",
    headers: { "content-type": "application/json", [ORIGIN]: "same-origin" },
    body: JSON.stringify({ accept_terms: true, name: "Max", password: "marble-7-window-tea" }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).data;
}

test("the program is read and changed", async () => {
  const { data: program } = await merchant.resellerProgram.get();
  assert.equal(program.is_enabled, true);
  const { data: changed } = await merchant.resellerProgram.update({
    terms_url: "https://merchant.example/terms",
    min_payout_threshold: 25,
  });
  assert.equal(changed.terms_url, "https://merchant.example/terms");
  assert.equal(changed.min_payout_threshold, 25);
  await refused("VALIDATION_ERROR", 422, () =>
    merchant.resellerProgram.update({ default_commission_percent: 101 }),
  );
  const { data: again } = await merchant.resellerProgram.get();
  assert.equal(again.default_commission_percent, program.default_commission_percent);
});

test("resellers are listed, page by page or all at once", async () => {
  const all = await merchant.resellers.listAll({ limit: 2 });
  assert.equal(new Set(all.map((each) => each.id)).size, all.length);
  for (const { relationship_id: id } of server.demo.resellers) {
    assert.ok(all.some((each) => each.id === id));
  }
  const first = await merchant.resellers.list({ limit: 1, status: "SUSPENDED" });
  assert.equal(first.data[0].status, "SUSPENDED");
  const seen = [];
  for await (const each of merchant.resellers.iterateAll({ limit: 1 })) seen.push(each.id);
  assert.deepEqual(seen, all.map((each) => each.id));
});

test("a reseller is invited, joins, is changed, suspended and terminated", async () => {
  const email = address("max");
  const product = server.demo.products[0].product_id;
  const { data } = await merchant.resellers.invite({
    email,
    mode: "WHOLESALE",
    custom_wholesale_discount_percent: 12.5,
    purchase_limit_daily: 500,
    product_access: [{ product_id: product, wholesale_price_override: 3.5 }],
    expires_in_days: 7,
  });
  assert.equal(data.email_delivery.status, "queued");
  assert.equal(data.invitation.invite_type, "RESELLER");
  assert.ok(data.invitation.accept_url.endsWith(data.invitation.token));
  await refused("ALREADY_EXISTS", 409, () => merchant.resellers.invite({ email }));
  const joined = await join(data.invitation);
  const id = joined.relationship_id;
  assert.equal(id, data.invitation.relationship_id);

  const { data: changed } = await merchant.resellers.update(id, {
    mode: "BOTH",
    purchase_limit_daily: null,
    product_ids: [product],
  });
  assert.equal(changed.mode, "BOTH");
  assert.equal(changed.purchase_limit_daily, null);
  assert.equal(changed.product_access[0].wholesale_price_override, "3.50");
  await refused("VALIDATION_ERROR", 422, () =>
    merchant.resellers.update(id, { custom_commission_percent: -1 }),
  );

  const { data: suspended } = await merchant.resellers.suspend(id);
  assert.equal(suspended.status, "SUSPENDED");
  const { data: ended } = await merchant.resellers.terminate(id);
  assert.equal(ended.status, "TERMINATED");
  const over = await refused("INVALID_STATE", 409, () => merchant.resellers.suspend(id));
  assert.ok(over.requestId);
});

test("the same change under one idempotency key is made once", async () => {
  const email = address("once");
  const invite = () => merchant.resellers.invite({ email }, { idempotencyKey: `k-${process.pid}` });
  const { data: first } = await invite();
  const { data: again } = await invite();
  assert.equal(again.invitation.id, first.invitation.id);
  assert.ok(first.invitation.token);
  assert.equal(again.invitation.token, null, "the link is told once");
});

test("an embed campaign is made, listed, renamed and revoked", async () => {
  const { relationship_id: id } = server.demo.resellers.find((each) => each.mode === "BOTH" && each.status === "ACTIVE");
  const product = server.demo.products[0].product_id;
  const body = { name: "Blog", product_ids: [product] };
  const { data: made } = await merchant.resellers.createEmbedCampaign(id, body);
  assert.equal(made.status, "ACTIVE");
  assert.deepEqual(made.product_ids, [product]);
  const [, script] = made.snippet.match(/src="([^"]+)"/);
  const [, token] = made.snippet.match(/data-token="([^"]+)"/);
  // The public address is another one than this server listens on.
  const { pathname } = new URL(script.replace(/\.js$/, ""));
  const widget = () => fetch(`${baseUrl}${pathname}?t=${token}`);
  const shown = await widget();
  assert.equal(shown.status, 200);
  assert.match(await shown.text(), new RegExp(`product_id=${product}`));

  const { data: all } = await merchant.resellers.embedCampaigns(id);
  assert.ok(all.some((each) => each.id === made.id));
  const { data: renamed } = await merchant.resellers.updateEmbedCampaign(id, made.id, {
    name: "Forum",
    status: "PAUSED",
  });
  assert.deepEqual([renamed.name, renamed.status], ["Forum", "PAUSED"]);
  assert.match(await (await widget()).text(), /not available/);
  const update = (change) => merchant.resellers.updateEmbedCampaign(id, made.id, change);
  await update({ status: "REVOKED" });
  await refused("INVALID_STATE", 409, () => update({ status: "ACTIVE" }));
  await refused("PRODUCT_NOT_ALLOWED", 403, () =>
    merchant.resellers.createEmbedCampaign(id, { name: "x", product_ids: ["prd_unknown"] }),
  );
  await refused("NOT_FOUND", 404, () =>
    merchant.resellers.updateEmbedCampaign(id, "cmp_00000000000000000000000000", {}),
  );
});

test("ids of nobody are not found, and a reseller's key reaches nothing here", async () => {
  const nobody = "rel_00000000000000000000000000";
  await refused("NOT_FOUND", 404, () => merchant.resellers.update(nobody, {}));
  await refused("NOT_FOUND", 404, () => merchant.resellers.suspend(nobody));
  const reseller = new ShoppexClient({ apiKey: server.demo.resellers[0].key, baseUrl });
  await refused("FORBIDDEN", 403, () => reseller.resellers.list());
  await refused("FORBIDDEN", 403, () => reseller.resellerProgram.get());
});

test("what resellers sold and bought is told in sums", async () => {
  const { data: all } = await merchant.resellers.analytics();
  const [one] = server.demo.resellers;
  const { data: alone } = await merchant.resellers.analytics(one.relationship_id);
  assert.equal(all.currency, alone.currency);
  for (const { totals, series } of [all, alone]) {
    const units = series.reduce((sum, part) => sum + part.units, 0);
    assert.equal(units, totals.units);
  }
  await refused("NOT_FOUND", 404, () => merchant.resellers.analytics("rel_x"));
});
