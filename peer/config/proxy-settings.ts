/** The proxy: rows of the table of settings, and what can be wrong with them besides their form. */
import { z } from "zod";
import {
  type ListenAddress,
  listenAddress,
  type SettingFault,
  type SettingsOf,
  type SettingsTable,
} from "../../schema/settings.ts";
import type { ProxySettings } from "../proxy/proxy-settings.ts";
import { absolutePath, type PathContext } from "./paths.ts";
import { DEFAULT_PROXY, proxyBlock } from "./proxy-block.ts";

export const DEFAULT_PROXY_LISTEN: ListenAddress = { hostname: "127.0.0.1", port: 65_001 };

export const PROXY_SETTINGS = {
  proxyListen: {
    schema: z.union([z.literal("off"), listenAddress]).optional(),
    value: "HOST:PORT",
    help: "where HTTP clients find the proxy of this peer, and container runtimes their mirror; off is none",
    remedy: "Use HOST:PORT such as 127.0.0.1:65001, or off",
    defaultText: "127.0.0.1:65001, when nobody else listens there",
  },
  proxy: {
    schema: proxyBlock.default(DEFAULT_PROXY),
    help: "what the proxy does: rules, registryMirror, interception and more, as docs/proxy.md tells; also the block of a dfdaemon.config",
    remedy: "See docs/proxy.md",
    secret: true,
    only: "file",
    live: true,
  },
} as const satisfies SettingsTable;

type Given = Partial<SettingsOf<typeof PROXY_SETTINGS>>;

/** The block of a file that was read, whatever it holds. */
export function proxyBlockOf(values: unknown): unknown {
  return typeof values === "object" && values !== null && "proxy" in values ? values.proxy : undefined;
}

/** Patterns that are none. */
export async function proxyFaults(
  { proxy }: Given,
  origins: Readonly<Record<keyof typeof PROXY_SETTINGS, string>>,
): Promise<SettingFault[]> {
  const patterns = [...(proxy?.rules ?? []), ...(proxy?.intercept ?? [])].map(({ pattern }) => pattern);
  if (patterns.length === 0) return [];
  // What understands them takes a while to load.
  const { patternFault } = await import("../proxy/pattern.ts");
  return patterns.flatMap((pattern) => {
    const problem = patternFault(pattern);
    if (problem === undefined) return [];
    const remedy = "Write a pattern in the syntax of Go (RE2), such as blobs/sha256.*";
    return [{ origin: origins.proxy, value: pattern.slice(0, 200), problem, remedy }];
  });
}

/** Whose certificate nobody looks at, a sentence each. */
export function insecureWarnings({ registryMirror, registries, intercept }: ProxySettings): string[] {
  const upstreams = [registryMirror, ...registries].filter(({ insecure, url }) => insecure && url.startsWith("https:"));
  const names = [
    ...upstreams.map(({ host }) => host),
    ...intercept.filter(({ insecure }) => insecure).map(({ pattern }) => pattern),
  ];
  return names.map(
    (name) => `proxy: the certificate of ${name} is not looked at (insecure): who stands in between is believed`,
  );
}

/** The same, its files by absolute paths. */
export function withAbsolutePaths(proxy: ProxySettings, paths: PathContext): ProxySettings {
  const absolute = (path: string) => absolutePath(path, paths);
  const certsOf = <Trust extends { readonly certs: readonly string[] }>(trust: Trust): Trust => ({
    ...trust,
    certs: trust.certs.map(absolute),
  });
  const { authority, tls } = proxy;
  return {
    ...proxy,
    registryMirror: certsOf(proxy.registryMirror),
    registries: proxy.registries.map(certsOf),
    intercept: proxy.intercept.map(certsOf),
    outputFolders: proxy.outputFolders.map(absolute),
    authority: authority && { cert: absolute(authority.cert), key: absolute(authority.key) },
    tls: tls && {
      cert: absolute(tls.cert),
      key: absolute(tls.key),
      ca: tls.ca === undefined ? undefined : absolute(tls.ca),
    },
  };
}
