/** What the variables and files of the Hub's own tools say. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../driver.ts";
import type { StoreLayer } from "../store-layers.ts";

export async function hfEnvironment(env: Environment): Promise<StoreLayer> {
  return {
    name: "the environment (HF_TOKEN)",
    options: {
      endpoint: env.HF_ENDPOINT,
      accessToken: env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN || (await tokenFile(env)),
    },
  };
}

/** What `hf auth login` wrote; a file that is absent is as good as empty. */
async function tokenFile(env: Environment): Promise<string | undefined> {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache");
  const path = env.HF_TOKEN_PATH || join(env.HF_HOME || join(cache, "huggingface"), "token");
  return await readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}
