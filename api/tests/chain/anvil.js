// A chain of this machine's own, with tokens on it: Anvil and a published ERC-20, both unmodified.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { ContractFactory, JsonRpcProvider, NonceManager, parseUnits } from "ethers";

const START_DEADLINE_MS = 60_000;
const require = createRequire(import.meta.url);
const ARTIFACT = "@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json";
const ALL = parseUnits("1000000", 18);

/** Gives the chain, its address, and what moves it. */
export async function startChain() {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const program = require.resolve(`@foundry-rs/anvil-${process.platform}-${arch}/bin/anvil`);
  const child = spawn(program, ["--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const url = await listening(child, exited);
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
  provider.pollingInterval = 50;
  const payer = new NonceManager(await provider.getSigner(0));
  const stop = async () => {
    if (!provider.destroyed) provider.destroy();
    if (child.exitCode === null) child.kill("SIGTERM");
    await exited;
  };
  return {
    url,
    provider,
    payer,
    stop,
    mine: (blocks) => provider.send("anvil_mine", [`0x${blocks.toString(16)}`]),
    /** Gives what goes back to here: blocks that came after are gone for good. */
    snapshot: async () => {
      const id = await provider.send("evm_snapshot", []);
      return async () => {
        await provider.send("evm_revert", [id]);
        payer.reset();
      };
    },
    /** A token of 18 decimals, all of it in the hands of the payer. */
    deployToken: async (name) => {
      const { abi, bytecode } = JSON.parse(await readFile(require.resolve(ARTIFACT)));
      const factory = new ContractFactory(abi, bytecode, payer);
      const token = await factory.deploy(name, name, ALL, await payer.getAddress());
      return token.waitForDeployment();
    },
  };
}

async function listening(child, exited) {
  const said = [];
  const told = (async () => {
    for await (const text of child.stdout.setEncoding("utf8")) {
      said.push(text);
      const found = /Listening on ([\d.]+:\d+)/.exec(said.join(""));
      if (found) {
        child.stdout.on("data", () => {});
        return `http://${found[1]}`;
      }
    }
    throw new Error("the chain said nothing");
  })();
  const gone = exited.then(([code]) => {
    throw new Error(`the chain ended with ${code}: ${said.join("")}`);
  });
  gone.catch(() => {});
  const late = new Promise((_, fail) => {
    AbortSignal.timeout(START_DEADLINE_MS).onabort = () => fail(new Error("the chain is late"));
  });
  late.catch(() => {});
  return Promise.race([told, gone, late]);
}
