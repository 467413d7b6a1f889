/** Where a Hub is, and with which token it is read. Most of what it has is public: without a token nobody asks for one. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { DriverComponents, Environment } from "../driver.ts";
import { firstOption, parseEndpoint, refuseOtherOptions, type StoreLayer, storeLayers } from "../store-layers.ts";
import { ruleFor } from "../store-rule.ts";
import { HF_ENDPOINT, type HfAddress, hfDisplayUrl, hfUrl } from "./hf-address.ts";

export interface HfAccess {
  readonly endpoint: URL;
  /** `undefined`: as anybody. */
  readonly token: string | undefined;
}

const OPTIONS = ["prefix", "endpoint", "accessToken", "anonymous"] as const;

/** @throws ProblemError `bad-request` for a broken endpoint, or options of other stores. */
export async function findHfAccess(
  asked: StoreOptions,
  address: HfAddress,
  { env, rules }: Pick<DriverComponents, "env" | "rules">,
): Promise<HfAccess> {
  const displayUrl = hfDisplayUrl(address);
  const rule = ruleFor(hfUrl({ ...address, revision: "main" }), asked, rules());
  refuseOtherOptions([asked, rule], OPTIONS, displayUrl);
  const environment = await environmentOf(env);
  const layers = storeLayers({ asked, rule, environment, defaultEndpoint: HF_ENDPOINT });
  return {
    endpoint: parseEndpoint(firstOption(layers, "endpoint") ?? HF_ENDPOINT, displayUrl),
    token: tokenIn(layers),
  };
}

async function environmentOf(env: Environment): Promise<StoreLayer> {
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

function tokenIn(layers: readonly StoreLayer[]): string | undefined {
  const insists = layers[0]?.options.anonymous === false;
  for (const { options } of layers) {
    if (options.anonymous === true && !insists) return undefined;
    if (options.accessToken) return options.accessToken;
  }
  return undefined;
}
