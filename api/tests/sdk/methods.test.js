// What docs/API.md says of the package's methods: all but those it names call a route that is there.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { ShoppexClient } from "@shoppexio/sdk";

const ROOT = new URL("../../../", import.meta.url);
/** Whatever a method is given: ids in paths, fields in bodies and addresses. */
const ANY = "x";

/** A client that answers nothing and writes down what it is asked to call. */
function listening(calls) {
  const fetch = async (url, { method }) => {
    calls.push({ method, path: new URL(url).pathname.replace(/\/$/, "") });
    return Response.json({ data: [], pagination: { has_more: false, next_cursor: null } });
  };
  return new ShoppexClient({ apiKey: ANY, baseUrl: "https://consign.example", fetch });
}

/** Every method of every service, with the call that it makes. */
async function methods() {
  const calls = [];
  const client = listening(calls);
  const all = [];
  for (const [name, service] of Object.entries(client)) {
    const made = Object.getPrototypeOf(service ?? {});
    if (!made || made === Object.prototype || typeof service !== "object") continue;
    for (const method of Object.getOwnPropertyNames(made)) {
      if (method === "constructor") continue;
      const before = calls.length;
      const given = service[method](ANY, ANY, ANY, ANY);
      if (given?.[Symbol.asyncIterator]) await given.next();
      else await given;
      const called =
        typeof given === "string" ? { method: "GET", path: new URL(given).pathname } : calls[before];
      all.push({ name: `${name}.${method}`, ...called });
    }
  }
  return all;
}

/** Whether an operation of the contract has this method and path. */
function routed(contract, { method, path }) {
  const words = path.split("/");
  return Object.entries(contract.paths).some(([template, operations]) => {
    const known = template.split("/");
    const fits = known.length === words.length && known.every((word, at) => {
      return word.startsWith("{") ? words[at] === ANY : word === words[at];
    });
    return fits && method.toLowerCase() in operations;
  });
}

test("every method calls a route that is there, but for those that the document names", async () => {
  const contract = JSON.parse(await readFile(new URL("api/openapi.json", ROOT)));
  const text = await readFile(new URL("docs/API.md", ROOT), "utf8");
  const section = text.split("## The vendor's client")[1].split("\n## ")[0];
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const named = rows.flatMap((row) => row.split("|")[1].match(/[\w.*]+/g));
  const all = await methods();
  assert.ok(all.length > 80, `${all.length} methods`);
  for (const each of named) {
    const known = all.some(({ name }) => name === each || `${name.split(".")[0]}.*` === each);
    assert.ok(known, `the package has no ${each}`);
  }
  const missing = all.filter((each) => {
    const [service] = each.name.split(".");
    return !named.includes(each.name) && !named.includes(`${service}.*`) && !routed(contract, each);
  });
  assert.deepEqual(missing, []);
});
