// A development server of its own for one test run: started, awaited by its demo.json, drained.
//
// CONSIGN_BINARY names the program. With CONSIGN_DEMO the tests use a server that runs already and
// whose demo.json lies there.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_DEADLINE_MS = 180_000;

/** Gives `{ demo, stop }`; `demo` is the parsed demo.json, `settings` are more of the environment. */
export async function start(settings = {}) {
  if (process.env.CONSIGN_DEMO) {
    return { demo: JSON.parse(await readFile(process.env.CONSIGN_DEMO)), stop: async () => {} };
  }
  const binary = process.env.CONSIGN_BINARY;
  if (!binary) throw new Error("CONSIGN_BINARY names the program to test, or use `make sdk`");
  const stateDir = await mkdtemp(join(tmpdir(), "consign-sdk-"));
  // As root, Postgres runs as another account, which has to reach its files in here.
  await chmod(stateDir, 0o755);
  const { demo, stop } = await startIn(stateDir, binary, settings);
  const remove = () => rm(stateDir, { recursive: true, force: true });
  const again = async (more = {}) => {
    await stop();
    return startIn(stateDir, binary, { ...settings, ...more });
  };
  return { demo, again, stop: () => stop().then(remove), remove };
}

async function startIn(stateDir, binary, settings) {
  // What an earlier server wrote there is not what this one will.
  await rm(join(stateDir, "demo.json"), { force: true });
  const child = spawn(binary, ["dev"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      CONSIGN_DEV__STATE_DIR: stateDir,
      CONSIGN_HTTP__LISTEN: "127.0.0.1:0",
      CONSIGN_OPS__LISTEN: "127.0.0.1:0",
      ...settings,
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
  // Not the iterator of fs/promises: it loses what changes while its last change is looked at.
  const watcher = watch(stateDir, { signal: deadline });
  const written = new Promise((resolve, reject) => {
    const look = () => readIfThere(path).then((text) => text !== null && resolve(JSON.parse(text)), reject);
    watcher.on("change", look).on("error", reject);
    deadline.addEventListener("abort", () => reject(new Error("consign dev does not answer")));
    look();
  }).finally(() => watcher.close());
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
