// Payments on a real chain: watched, confirmed, dropped with their block, credited once; and spent by the
// merchant's wallet, of which Consign knows the public key only.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { HDNodeWallet, parseEther, parseUnits } from "ethers";

import { start } from "../sdk/server.js";
import { startChain } from "./anvil.js";
import { Merchant } from "./consign.js";

const CONFIRMATIONS = 4;
const wallet = HDNodeWallet.createRandom(undefined, "m/44'/60'/0'");

let chain, token, other, server, merchant;

before(async () => {
  chain = await startChain();
  [token, other] = [await chain.deployToken("Right"), await chain.deployToken("Wrong")];
  server = await start({
    CONSIGN_CHAINS__BASE__RPC_URL: chain.url,
    CONSIGN_CHAINS__BASE__POLL_MS: "100",
  });
  merchant = new Merchant(server.demo);
  const { status, answer } = await merchant.replaceMethods([await method()]);
  assert.equal(status, 200, JSON.stringify(answer));
});

after(async () => {
  await server?.stop();
  await chain?.stop();
});

async function method(changes = {}) {
  return {
    coin: "TOKEN",
    provider: "evm_erc20",
    xpub: wallet.neuter().extendedKey,
    network: "base",
    token: await token.getAddress(),
    confirmations: CONFIRMATIONS,
    ...changes,
  };
}

/** Sends tokens, in the block of this transaction. */
async function pay(address, amount, which = token) {
  const sent = await which.transfer(address, parseUnits(amount, 18));
  return sent.wait();
}

const deepEnough = () => chain.mine(CONFIRMATIONS - 1);

test("an invoice has an address that the merchant's own wallet derives", async () => {
  const [first, second] = [await merchant.open("25.00"), await merchant.open("25.00")];
  const index = (invoice) =>
    [0, 1, 2, 3].find((at) => wallet.derivePath(`0/${at}`).address === invoice.pay.address);
  assert.notEqual(index(first), undefined);
  assert.equal(index(second), index(first) + 1);
  const { pay: told, provider } = first;
  assert.equal(provider, "evm_erc20");
  assert.equal(told.network, "base");
  assert.equal(told.coin_amount, "25.00");
  assert.match(told.qr, /^ethereum:0x[0-9a-fA-F]{40}@31337\/transfer\?address=/);
  assert.ok(told.qr.endsWith(`address=${told.address}&uint256=${parseUnits("25", 18)}`));
});

test("a payment is seen at once, credited when it is deep enough, and the merchant's to spend", async () => {
  const invoice = await merchant.open("30.00");
  await pay(invoice.pay.address, "30");
  const seen = await merchant.until(invoice, "CONFIRMING");
  assert.equal(seen.received, "0.00");
  await deepEnough();
  const done = await merchant.until(invoice, "COMPLETED");
  assert.deepEqual([done.received, done.credited, done.overpaid], ["30.00", "30.00", "0.00"]);
  assert.deepEqual(await merchant.credits(done), ["30.00"]);

  const at = [...Array(20).keys()].map((index) => wallet.derivePath(`0/${index}`));
  const owner = at.find(({ address }) => address === invoice.pay.address).connect(chain.provider);
  await (await chain.payer.sendTransaction({ to: owner.address, value: parseEther("1") })).wait();
  const spent = await token.connect(owner).transfer(await chain.payer.getAddress(), 1n);
  assert.equal((await spent.wait()).status, 1);
});

test("too little and too much are credited as they are", async () => {
  const [short, long] = [await merchant.open("40.00"), await merchant.open("40.00")];
  await pay(short.pay.address, "39.999999");
  await pay(long.pay.address, "41.5");
  await deepEnough();
  const little = await merchant.until(short, "COMPLETED");
  assert.deepEqual([little.received, little.credited], ["39.99", "39.99"]);
  const much = await merchant.until(long, "COMPLETED");
  assert.deepEqual([much.received, much.credited, much.overpaid], ["41.50", "41.50", "1.50"]);
});

test("two parts of a payment are credited, each once", async () => {
  const invoice = await merchant.open("50.00");
  await pay(invoice.pay.address, "20");
  await deepEnough();
  await merchant.until(invoice, "COMPLETED");
  await pay(invoice.pay.address, "30");
  await deepEnough();
  const both = await merchant.untilCredited(invoice, "30.00");
  assert.deepEqual(await merchant.credits(both), ["20.00", "30.00"]);
  await chain.mine(300);
  const again = await merchant.open("11.00");
  await pay(again.pay.address, "11");
  await deepEnough();
  await merchant.until(again, "COMPLETED");
  assert.deepEqual(await merchant.credits(both), ["20.00", "30.00"]);
});

test("two transfers in one transaction are two payments", async () => {
  const invoice = await merchant.open("15.00");
  await chain.provider.send("evm_setAutomine", [false]);
  const sent = [await token.transfer(invoice.pay.address, parseUnits("7", 18))];
  sent.push(await token.transfer(invoice.pay.address, parseUnits("8", 18)));
  await chain.mine(1);
  await chain.provider.send("evm_setAutomine", [true]);
  const blocks = await Promise.all(sent.map((one) => one.wait()));
  assert.equal(blocks[0].blockNumber, blocks[1].blockNumber);
  await deepEnough();
  const done = await merchant.until(invoice, "COMPLETED");
  assert.equal(done.received, "15.00");
  assert.deepEqual(await merchant.credits(done), ["7.00", "8.00"]);
});

test("a payment whose block is replaced is forgotten, and pays when it comes again", async () => {
  const invoice = await merchant.open("60.00");
  const back = await chain.snapshot();
  await pay(invoice.pay.address, "60");
  await chain.mine(CONFIRMATIONS - 2);
  const seen = await merchant.until(invoice, "CONFIRMING");
  await back();
  await chain.mine(CONFIRMATIONS + 3);
  const dropped = await merchant.until(invoice, "OPEN");
  assert.deepEqual([seen.received, dropped.received], ["0.00", "0.00"]);
  assert.deepEqual(await merchant.credits(dropped), []);
  await pay(invoice.pay.address, "60");
  await deepEnough();
  const done = await merchant.until(invoice, "COMPLETED");
  assert.deepEqual(await merchant.credits(done), ["60.00"]);
});

test("money that comes after the end is credited all the same", async () => {
  const invoice = await merchant.open("12.00");
  assert.equal((await merchant.cancel(invoice)).status, "CANCELLED");
  await pay(invoice.pay.address, "12");
  await deepEnough();
  const done = await merchant.until(invoice, "COMPLETED");
  assert.deepEqual(await merchant.credits(done), ["12.00"]);
});

test("another token, another address and dust are nothing", async () => {
  const invoice = await merchant.open("13.00");
  await pay(invoice.pay.address, "13", other);
  await pay(await chain.payer.getAddress(), "13");
  await pay(invoice.pay.address, "0.009");
  await deepEnough();
  await pay(invoice.pay.address, "13");
  await deepEnough();
  const done = await merchant.until(invoice, "COMPLETED");
  assert.equal(done.received, "13.00");
  assert.deepEqual(await merchant.credits(done), ["13.00"]);
});

test("what the merchant saw first is not credited a second time by the chain", async () => {
  const [said, seen] = [await merchant.open("14.00"), await merchant.open("16.00")];
  await merchant.ask("POST", `/dev/v1/invoices/${said.id}/complete`);
  await pay(said.pay.address, "14");
  await pay(seen.pay.address, "16");
  await deepEnough();
  const paid = await merchant.until(seen, "COMPLETED");
  // What the chain told of before is the same money.
  await merchant.ask("POST", `/dev/v1/invoices/${seen.id}/complete`);
  assert.deepEqual(await merchant.credits(paid), ["16.00"]);
  assert.deepEqual(await merchant.credits(await merchant.read(said)), ["14.00"]);
});

test("what was paid while nobody looked is credited after a start, once", async () => {
  const [before, during] = [await merchant.open("17.00"), await merchant.open("18.00")];
  await pay(before.pay.address, "17");
  await deepEnough();
  await merchant.until(before, "COMPLETED");
  const { remove, again } = server;
  const away = again({ CONSIGN_CHAINS__BASE__RPC_URL: "http://127.0.0.1:9" });
  let running = await away;
  server = { stop: () => running.stop().then(remove) };
  merchant.demo = running.demo;
  await pay(during.pay.address, "18");
  await deepEnough();
  const unseen = await merchant.read(during);
  assert.equal(unseen.status, "OPEN");
  await running.stop();
  running = await again();
  merchant.demo = running.demo;
  const done = await merchant.until(during, "COMPLETED");
  assert.deepEqual(await merchant.credits(done), ["18.00"]);
  assert.deepEqual(await merchant.credits(await merchant.read(before)), ["17.00"]);
});

test("a payment whose block is replaced after it counted is taken back, once", async () => {
  const spent = async () => {
    const { relationship_id: id } = merchant.demo.resellers.find((one) => one.mode === "BOTH");
    const path = `/dev/v1/resellers/${id}/balance/ledger?kind=TOP_UP_REVERSAL`;
    const { data } = await merchant.ask("GET", path);
    return data.map((entry) => entry.amount);
  };
  await chain.mine(300);
  const [kept, invoice] = [await merchant.open("21.00"), await merchant.open("19.00")];
  await pay(kept.pay.address, "21");
  const back = await chain.snapshot();
  await pay(invoice.pay.address, "19");
  await deepEnough();
  await merchant.until(invoice, "COMPLETED");
  assert.deepEqual(await spent(), []);
  await back();
  // The chain goes on without it.
  await chain.provider.send("evm_setIntervalMining", [1]);
  const gone = await merchant.until(invoice, "REFUNDED");
  await chain.provider.send("evm_setAutomine", [true]);
  assert.equal(gone.refunded, "19.00");
  assert.deepEqual(await spent(), ["-19.00"]);
  // What is in the chain as it is now stays.
  await chain.mine(300);
  const again = await merchant.open("22.00");
  await pay(again.pay.address, "22");
  await deepEnough();
  await merchant.until(again, "COMPLETED");
  assert.equal((await merchant.read(kept)).status, "COMPLETED");
  assert.deepEqual(await spent(), ["-19.00"]);
});

test("what cannot be watched is not taken", async () => {
  const wrong = [
    [{ network: "elsewhere" }, 422],
    [{ xpub: wallet.extendedKey }, 422],
    [{ token: "0x0000000000000000000000000000000000000001" }, 422],
    [{ token: (await token.getAddress()).toLowerCase() }, 422],
    [{ confirmations: 0 }, 422],
    [{ confirmations: 257 }, 422],
    [{ provider: "manual", instructions: "Send it" }, 422],
  ];
  for (const [changes, expected] of wrong) {
    const { status, answer } = await merchant.replaceMethods([await method(changes)]);
    assert.equal(status, expected, JSON.stringify([changes, answer]));
    assert.equal(answer.error.code, "VALIDATION_ERROR");
  }
});
