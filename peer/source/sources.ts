/** Picks the driver for a URL by its scheme. */
import { ProblemError } from "../../schema/problem.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import { azureDriver } from "./azure/azure-source.ts";
import { vendorDriver } from "./bucket/vendor-driver.ts";
import { COS_STORE } from "./cos/cos-store.ts";
import type { DriverComponents, Environment, SourceDriver } from "./driver.ts";
import type { Folder } from "./folder.ts";
import { gcsDriver } from "./gcs/gcs-source.ts";
import { hfDriver } from "./hf/hf-source.ts";
import { httpDriver } from "./http/http-source.ts";
import { OBS_STORE } from "./obs/obs-store.ts";
import { OSS_STORE } from "./oss/oss-store.ts";
import { demandRightsOfOthers } from "./rights-of-others.ts";
import { s3Driver } from "./s3/s3-source.ts";
import type { OpenSourceOptions, Source } from "./source.ts";
import { defaultSourceIo, type SourceIo } from "./source-io.ts";
import { StoreBudgets } from "./store-budgets.ts";
import { ruleFor, type StoreRule } from "./store-rule.ts";

const NO_RULES: readonly StoreRule[] = [];
const VENDOR_STORES = [OSS_STORE, OBS_STORE, COS_STORE];

export interface SourceComponents extends Partial<SourceIo> {
  /** Where variables that hold credentials are looked up. */
  readonly env: Environment;
  /** Read at every open, since it can change. */
  readonly stores?: () => readonly StoreRule[];
}

/** All stores this host can read. */
export interface Sources {
  /** @throws ProblemError see `OpenSource` */
  open(request: SourceRequest, options?: OpenSourceOptions): Promise<Source>;
  /** @throws ProblemError as `open`, and `source-unsupported` for a store that cannot be listed */
  openFolder(request: SourceRequest, options?: OpenSourceOptions): Promise<Folder>;
}

export function createSources({ env, stores = () => NO_RULES, ...given }: SourceComponents): Sources {
  const components: DriverComponents = { io: { ...defaultSourceIo(), ...given }, env, rules: stores };
  const { policy } = components.io;
  const budgets = new StoreBudgets({ readsPerStore: policy.readsPerStore, nowMs: () => performance.now() });
  const drivers = [
    httpDriver(components),
    s3Driver(components),
    azureDriver(components),
    gcsDriver(components),
    hfDriver(components),
    ...VENDOR_STORES.map((store) => vendorDriver(store, components)),
  ];
  const driverOf = (url: string): SourceDriver => {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
    const supported = drivers.flatMap(({ schemes }) => schemes.map((name) => `${name}://`)).join(", ");
    // The text is not repeated: it may hold a password.
    if (scheme === undefined) throw broken(supported);
    const driver = drivers.find(({ schemes }) => schemes.includes(scheme));
    if (driver !== undefined) return driver;
    throw new ProblemError(
      "source-unsupported",
      `Sources of scheme ${scheme.slice(0, 40)}: cannot be read. Use one of ${supported}`,
      { detail: { scheme: scheme.slice(0, 40) } },
    );
  };
  return {
    open: async (request, options) => {
      const driver = driverOf(request.url);
      if (options?.onBehalf) demandRightsOfOthers(request);
      return budgets.within(await driver.open(request, options), ruleOf(request, stores));
    },
    openFolder: async (request, options) => {
      const driver = driverOf(request.url);
      if (driver.openFolder !== undefined) return await driver.openFolder(request, options);
      const schemes = drivers.flatMap((each) => (each.openFolder === undefined ? [] : each.schemes));
      throw new ProblemError(
        "source-unsupported",
        `Sources of scheme ${driver.schemes[0]}: cannot be listed. Those that can: ${schemes.join(", ")}`,
      );
    },
  };
}

/** The rule of a request, looked for only when the rules are others than before. */
function ruleOf(request: SourceRequest, stores: () => readonly StoreRule[]): () => StoreRule | undefined {
  let rules: readonly StoreRule[] | undefined;
  let rule: StoreRule | undefined;
  return () => {
    const now = stores();
    if (now !== rules) rule = ruleFor(request.url, request.store ?? {}, now);
    rules = now;
    return rule;
  };
}

function broken(supported: string): ProblemError {
  return new ProblemError("bad-request", `The URL of the source is broken. Write a whole one: ${supported} are read`);
}
