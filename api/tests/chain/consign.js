// What a merchant does about payments, over HTTP; and what becomes of an invoice, told by its events.

import assert from "node:assert/strict";

/** Seconds that one look at the feed waits. */
const LOOK_SECONDS = 20;
const DEADLINE_MS = 120_000;

export class Merchant {
  constructor(demo) {
    this.demo = demo;
  }

  async call(method, path, { body, headers = {} } = {}) {
    const response = await fetch(this.demo.base_url + path, {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    return { status: response.status, answer, cookie: cookieOf(response) };
  }

  async ask(method, path, body) {
    const headers = { authorization: `Bearer ${this.demo.merchant.key}` };
    const { status, answer } = await this.call(method, path, { body, headers });
    assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The owner, who repeated the password, replaces all payment methods. */
  async replaceMethods(methods) {
    const { email, password } = this.demo.merchant;
    const page = { "sec-fetch-site": "same-origin" };
    const signedIn = await this.call("POST", "/portal/v1/session", {
      body: { email, password },
      headers: page,
    });
    const steppedUp = await this.call("POST", "/portal/v1/step-up", {
      body: { password },
      headers: { ...page, cookie: signedIn.cookie },
    });
    return this.call("PUT", "/dev/v1/payment-methods", {
      body: { methods },
      headers: { ...page, cookie: steppedUp.cookie },
    });
  }

  /** An invoice for a reseller who has a balance. */
  async open(amount) {
    const reseller = this.demo.resellers.find((one) => one.mode === "BOTH");
    const path = `/dev/v1/resellers/${reseller.relationship_id}/top-ups`;
    const { data } = await this.ask("POST", path, { amount, coin: "TOKEN" });
    return data;
  }

  async read(invoice) {
    return (await this.ask("GET", `/dev/v1/invoices/${invoice.id}`)).data;
  }

  async cancel(invoice) {
    return (await this.ask("POST", `/dev/v1/invoices/${invoice.id}/cancel`)).data;
  }

  /** The entries of the ledger that an invoice made, as sums. */
  async credits(invoice) {
    const path = `/dev/v1/resellers/${invoice.reseller_id}/balance/ledger?kind=TOP_UP&limit=100`;
    const { data } = await this.ask("GET", path);
    const made = data.filter((entry) => entry.description.includes(invoice.id));
    return made.map((entry) => entry.amount).sort();
  }

  /** Waits until there is an event that fits. */
  async told(fits) {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    let after = 0;
    while (!deadline.aborted) {
      const path = `/dev/v1/events?after=${after}&limit=500&wait=${LOOK_SECONDS}`;
      const { data, pagination } = await this.ask("GET", path);
      if (data.some(fits)) return;
      after = pagination.next_after;
    }
    throw new Error("the event that is waited for does not come");
  }

  /** Waits until an invoice came to have this status, and reads it. */
  async until(invoice, status) {
    await this.told(
      ({ event, data }) =>
        event === "top_up:updated" && data.top_up_id === invoice.id && data.status === status,
    );
    return this.read(invoice);
  }

  /** Waits until so much was credited at once. */
  async untilCredited(invoice, amount) {
    await this.told(
      ({ event, data }) =>
        event === "balance:credited" &&
        data.amount === amount &&
        data.description.includes(invoice.id),
    );
    return this.read(invoice);
  }
}

function cookieOf(response) {
  return response.headers.get("set-cookie")?.split(";")[0];
}
