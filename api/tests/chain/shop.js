// A running Consign whose merchant takes one token, on a chain of this machine.

import assert from "node:assert/strict";

import { HDNodeWallet, parseUnits } from "ethers";

import { start } from "../sdk/server.js";
import { startChain } from "./anvil.js";
import { Merchant } from "./consign.js";

const CONFIRMATIONS = 3;

export async function startShop() {
  const chain = await startChain();
  try {
    return await open(chain);
  } catch (error) {
    await chain.stop();
    throw error;
  }
}

async function open(chain) {
  const token = await chain.deployToken("Right");
  const method = {
    coin: "TOKEN",
    provider: "evm_erc20",
    xpub: HDNodeWallet.createRandom(undefined, "m/44'/60'/0'").neuter().extendedKey,
    network: "base",
    token: await token.getAddress(),
    confirmations: CONFIRMATIONS,
  };
  const server = await start({
    CONSIGN_CHAINS__BASE__RPC_URL: chain.url,
    CONSIGN_CHAINS__BASE__POLL_MS: "100",
  });
  return {
    chain,
    demo: server.demo,
    merchant: new Merchant(server.demo),
    /** The merchant takes the token, and nothing else. */
    async takesToken() {
      const { status, answer } = await this.merchant.replaceMethods([method]);
      assert.equal(status, 200, JSON.stringify(answer));
    },
    /** Sends so many cents, final. */
    async pay(address, amount) {
      const sent = await token.transfer(address, parseUnits(String(amount), 16));
      await sent.wait();
      await chain.mine(CONFIRMATIONS - 1);
    },
    async stop() {
      await server.stop();
      await chain.stop();
    },
  };
}

/** An amount of an answer, in cents. */
export const cents = (amount) => Math.round(Number(amount) * 100);
