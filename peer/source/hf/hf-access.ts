/** Where a Hub is, and with which token it is read. Most of what it has is public: without a token nobody asks for one. */
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { DriverComponents } from "../driver.ts";
import { firstOption, parseEndpoint, refuseOtherOptions, type StoreLayer, storeLayers } from "../store-layers.ts";
import { ruleFor } from "../store-rule.ts";
import { HF_ENDPOINT, type HfAddress, hfDisplayUrl, hfUrl } from "./hf-address.ts";
import { hfEnvironment } from "./hf-environment.ts";

export interface HfAccess {
  readonly endpoint: URL;
  /** `undefined`: as anybody. */
  readonly token: string | undefined;
}

const OPTIONS = ["endpoint", "accessToken", "anonymous"] as const;

/** @throws ProblemError `bad-request` for a broken endpoint, or options of other stores. */
export async function findHfAccess(
  asked: StoreOptions,
  address: HfAddress,
  { env, rules }: Pick<DriverComponents, "env" | "rules">,
): Promise<HfAccess> {
  const displayUrl = hfDisplayUrl(address);
  const rule = ruleFor(hfUrl({ ...address, revision: "main" }), asked, rules());
  refuseOtherOptions([asked, rule], OPTIONS, displayUrl);
  const environment = await hfEnvironment(env);
  const layers = storeLayers({ asked, rule, environment, defaultEndpoint: HF_ENDPOINT });
  return {
    endpoint: parseEndpoint(firstOption(layers, "endpoint") ?? HF_ENDPOINT, displayUrl),
    token: tokenIn(layers),
  };
}

function tokenIn(layers: readonly StoreLayer[]): string | undefined {
  const insists = layers[0]?.options.anonymous === false;
  for (const { options } of layers) {
    if (options.anonymous === true && !insists) return undefined;
    if (options.accessToken) return options.accessToken;
  }
  return undefined;
}
