// The programs that sign a dynamic URL, as a reseller gets them and a shop would run them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { start } from "./server.js";

const run = promisify(execFile);
const page = { "sec-fetch-site": "same-origin", "content-type": "application/json" };

let server, folder, reseller, key, samples;

before(async () => {
  server = await start();
  folder = await mkdtemp(join(tmpdir(), "consign-samples-"));
  const { resellers, products } = server.demo;
  reseller = resellers.find((one) => one.mode === "BOTH" && one.status === "ACTIVE" && one.email);
  const cookie = await signIn();
  const keys = `/portal/v1/programs/${reseller.relationship_id}/api-keys`;
  const body = { name: "Old shop", scopes: ["dynamic.write"], daily_spend_cap: "500.00" };
  key = await ask("POST", keys, { cookie, body });
  const sold = products.find((one) => one.variant_ids.length === 0 && one.stock > 100);
  const told = await ask("GET", `${keys}/${key.id}/dynamic-url?product_id=${sold.product_id}`, { cookie });
  assert.ok(!JSON.stringify(told).includes(key.url_secret), "no secret is told");
  // The port was the system's to choose, and the origin was set before.
  const place = (sample) => sample.replaceAll(new URL(told.url).origin, server.demo.base_url);
  samples = { node: place(told.samples.node), python: place(told.samples.python) };
});

after(async () => {
  await rm(folder, { recursive: true, force: true });
  await server?.stop();
});

/** A session of the reseller, who repeated the password. */
async function signIn() {
  const { email, password } = reseller;
  const cookieOf = (answer) => answer.headers.get("set-cookie").split(";")[0];
  const session = await send("POST", "/portal/v1/session", { body: { email, password } });
  const cookie = cookieOf(session);
  return cookieOf(await send("POST", "/portal/v1/step-up", { cookie, body: { password } }));
}

function send(method, path, { cookie, body } = {}) {
  const headers = cookie ? { ...page, cookie } : page;
  return fetch(server.demo.base_url + path, { method, headers, body: body && JSON.stringify(body) });
}

async function ask(method, path, call) {
  const response = await send(method, path, call);
  const answer = await response.json();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer.data;
}

async function delivers(program, name, order) {
  const file = join(folder, name);
  const placed = samples[program]
    .replace("{customer_email}", "ann+k'x@example.com")
    .replace("{external_order_id}", order)
    .replace("{quantity}", "1");
  await writeFile(file, placed);
  const env = { ...process.env, CONSIGN_URL_SECRET: key.url_secret };
  const interpreter = program === "node" ? process.execPath : "python3";
  const { stdout } = await run(interpreter, [file], { env });
  const { data } = JSON.parse(stdout);
  assert.equal(data.serials.length, 1);
  assert.equal(data.channel, "SIGNED_URL");
}

test("the program for Node delivers", () => delivers("node", "shop.mjs", "NODE-1"));

test("the program for Python delivers", async (t) => {
  const there = await run("python3", ["--version"]).then(() => true, () => false);
  if (!there) return t.skip("there is no python3");
  await delivers("python", "shop.py", "PYTHON-1");
});
