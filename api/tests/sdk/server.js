// A development server of its own for one test run: started, awaited by its demo.json, drained.
//
// CONSIGN_BINARY names the program. With CONSIGN_DEMO the tests use a server that runs already and
// whose demo.json lies there.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_DEADLINE_MS = 180_000;

/** Gives `{ demo, stop }`; `demo` is the parsed demo.json. */
export async function start() {
  if (process.env.CONSIGN_DEMO) {
    return { demo: JSON.parse(await readFile(process.env.CONSIGN_DEMO)), stop: async () => {} };
  }
  const binary = process.env.CONSIGN_BINARY;
  if (!binary) throw new Error("CONSIGN_BINARY names the program to test, or use `make sdk`");
  const stateDir = await mkdtemp(join(tmpdir(), "consign-sdk-"));
  // As root, Postgres runs as another account, which has to reach its files in here.
  await chmod(stateDir, 0o755);
  const child = spawn(binary, ["dev"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      CONSIGN_DEV__STATE_DIR: stateDir,
      CONSIGN_HTTP__LISTEN: "127.0.0.1:0",
      CONSIGN_OPS__LISTEN: "127.0.0.1:0",
    },
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => said.push(text));
  }
  const exited = once(child, "exit");
  const stop = async () => {
    if (child.exitCode === null) child.kill("SIGTERM");
    await exited;
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    return { demo: await firstDemo(stateDir, exited), stop };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${said.join("")}`, { cause: error });
  }
}

/** The server writes the file when it answers, not before. */
async function firstDemo(stateDir, exited) {
  const path = join(stateDir, "demo.json");
  const gone = exited.then(([code]) => {
    throw new Error(`consign dev ended with ${code} before it answered`);
  });
  const deadline = AbortSignal.timeout(START_DEADLINE_MS);
  const written = (async () => {
    const changes = watch(stateDir, { signal: deadline });
    let text = await readIfThere(path);
    while (text === null) {
      await changes.next();
      text = await readIfThere(path);
    }
    await changes.return();
    return JSON.parse(text);
  })();
  gone.catch(() => {});
  return Promise.race([written, gone]);
}

async function readIfThere(path) {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}
