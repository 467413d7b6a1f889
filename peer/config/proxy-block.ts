/** The block `proxy` of a peer's YAML file: in our own spelling, and in that of Dragonfly's `dfdaemon.config`, which is
 *  accepted as it stands. */
import { z } from "zod";
import { onOff } from "../../schema/settings.ts";
import { pathSetting } from "../../schema/shared-settings.ts";
import { labelField } from "../../schema/wire/fields.ts";
import type { ProxySettings, RegistryUpstream } from "../proxy/proxy-settings.ts";
import { filterField } from "./dragonfly-fields.ts";
import { isHostOrNetwork } from "./network-name.ts";

const flag = onOff.optional();
const path = z.union([z.literal("").transform(() => undefined), pathSetting]).optional();
const paths = z.union([pathSetting.transform((one) => [one]), z.array(pathSetting).max(100)]).default([]);
const pattern = z.string().min(1, "must not be empty").max(4096);
const authority = z
  .string()
  .max(300)
  .regex(/^[a-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-f:.]+\](?::\d{1,5})?$/i, "must be a host, or host and port");
const baseUrl = z
  .url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" })
  .max(1024)
  .refine((url) => /^https?:\/\/[^@?#]+$/i.test(url), "must not hold user info, a query or a fragment")
  .transform((url) => url.replace(/\/+$/, ""));
const hostEntries = z
  .array(
    z
      .string()
      .transform((entry) => entry.toLowerCase())
      .refine(isHostEntry, "must be a host name, *.NAME, an address or a network"),
  )
  .max(1000)
  .default([]);

function isHostEntry(entry: string): boolean {
  return isHostOrNetwork(entry.replace(/^\*\./, ""));
}

const rule = z.object({
  regex: pattern.optional(),
  regx: pattern.optional(),
  useTLS: flag,
  useHTTPS: flag,
  redirect: z.union([z.literal("").transform(() => undefined), authority]).optional(),
  direct: flag,
  filteredQueryParams: filterField.optional(),
  filter: filterField.optional(),
  authorized: flag,
  unvalidated: flag,
});
const registry = z.object({ url: baseUrl, insecure: flag, certs: paths, direct: flag });
const mirror = z.object({
  url: baseUrl.optional(),
  addr: baseUrl.optional(),
  insecure: flag,
  certs: paths,
  direct: flag,
});
const namedRegistry = registry.extend({ host: authority.transform((host) => host.toLowerCase()) });
const user = z.object({
  username: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^:\p{Cc}]+$/u, "must hold no colon"),
  password: z.string().min(1).max(1024),
});
const hosts = z.object({ regex: pattern.optional(), regx: pattern.optional(), insecure: flag, certs: paths });
const interception = z.object({ cert: path, key: path, hosts: z.array(hosts).max(1000).default([]) });
const security = z.object({ insecure: flag, cacert: path, cert: path, key: path });
const tcpListen = z.object({
  namespace: z.literal("", { error: "must be empty: the peer listens where it runs" }).optional(),
  listen: z.string().max(255).optional(),
  port: z.int().min(0).max(65_535).optional(),
});
const upstreams = z.object({
  allow: hostEntries,
  only: hostEntries,
  deny: hostEntries,
  ports: z.array(z.int().min(1).max(65_535)).max(1000).default([]),
});

const block = z.object({
  rules: z.array(rule).max(1000).optional(),
  proxies: z.array(rule).max(1000).optional(),
  filteredQueryParams: filterField.optional(),
  defaultFilter: filterField.optional(),
  tag: labelField.optional(),
  defaultTag: labelField.optional(),
  application: labelField.optional(),
  defaultApplication: labelField.optional(),
  prefetch: flag,
  registryMirror: mirror.optional(),
  registries: z.array(namedRegistry).max(1000).default([]),
  users: z.array(user).max(1000).optional(),
  basicAuth: user.optional(),
  upstreams: upstreams.optional(),
  interception: interception.optional(),
  hijackHTTPS: interception.optional(),
  maxConnections: z.int().min(1).max(65_536).optional(),
  maxConcurrency: z.int().min(0).max(65_536).optional(),
  requestRate: z.int().min(1).max(1_000_000).optional(),
  outputFolders: z.array(pathSetting).max(100).default([]),
  security: security.optional(),
  tcpListen: tcpListen.optional(),
});

/** What clients of a node open, and a browser besides. */
const DEFAULT_MAX_CONNECTIONS = 1024;
const DEFAULT_MIRROR = "https://index.docker.io";

export const proxyBlock = block
  .superRefine((given, context) => {
    const fault = (message: string, ...where: (string | number)[]) =>
      context.addIssue({ code: "custom", message, path: where });
    for (const [list, rules] of Object.entries({ rules: given.rules, proxies: given.proxies })) {
      for (const [at, { regex, regx }] of (rules ?? []).entries())
        if (!(regex ?? regx)) fault("must be given", list, at, "regex");
    }
    if (given.security?.insecure === false && (given.security.cert === undefined || given.security.key === undefined)) {
      fault("must be true, or cert and key be given", "security", "insecure");
    }
  })
  .transform(toProxySettings);

function toProxySettings(given: z.output<typeof block>): ProxySettings {
  const { registryMirror, security: tls, tcpListen: tcp, interception: own, hijackHTTPS } = given;
  const mirrorUrl = registryMirror?.url ?? registryMirror?.addr ?? DEFAULT_MIRROR;
  const intercepted = own ?? hijackHTTPS;
  const isTls = tls?.insecure === false && tls.cert !== undefined && tls.key !== undefined;
  return {
    rules: (given.rules ?? given.proxies ?? []).map((each) => ({
      pattern: each.regex ?? each.regx ?? "",
      useTls: each.useTLS ?? each.useHTTPS ?? false,
      redirect: each.redirect,
      direct: each.direct ?? false,
      filteredQueryParams: each.filteredQueryParams ?? each.filter,
      authorized: each.authorized ?? false,
      unvalidated: each.unvalidated ?? false,
    })),
    filteredQueryParams: given.filteredQueryParams ?? given.defaultFilter ?? [],
    tag: given.tag ?? given.defaultTag ?? "",
    application: given.application ?? given.defaultApplication ?? "",
    prefetch: given.prefetch ?? false,
    registryMirror: upstreamOf({ certs: [], ...registryMirror, url: mirrorUrl }),
    registries: given.registries.map((each) => ({ ...upstreamOf(each), host: each.host })),
    users: [...(given.users ?? []), ...(given.basicAuth === undefined ? [] : [given.basicAuth])],
    upstreams: given.upstreams ?? { allow: [], only: [], deny: [], ports: [] },
    intercept: (intercepted?.hosts ?? []).map((each) => ({
      pattern: each.regex ?? each.regx ?? "",
      insecure: each.insecure ?? false,
      certs: each.certs,
    })),
    authority:
      intercepted?.cert === undefined || intercepted.key === undefined
        ? undefined
        : { cert: intercepted.cert, key: intercepted.key },
    maxConnections: given.maxConnections ?? (given.maxConcurrency || DEFAULT_MAX_CONNECTIONS),
    requestRate: given.requestRate,
    tls: isTls ? { cert: tls.cert ?? "", key: tls.key ?? "", ca: tls.cacert } : undefined,
    listen: { hostname: tcp?.listen, port: tcp?.port },
    outputFolders: given.outputFolders,
  };
}

function upstreamOf(given: {
  readonly url: string;
  readonly insecure?: boolean | undefined;
  readonly certs: readonly string[];
  readonly direct?: boolean | undefined;
}): RegistryUpstream {
  const { url, insecure = false, certs, direct = false } = given;
  const isHub = /^https:\/\/(?:index\.)?docker\.io$/.test(url);
  // What Docker Hub calls itself is not where its registry is.
  return { host: new URL(url).host, url: isHub ? "https://registry-1.docker.io" : url, insecure, certs, direct };
}

/** What a peer does that is told nothing. */
export const DEFAULT_PROXY: ProxySettings = toProxySettings(block.parse({}));

/** By where they stand in the block, which is "" for the block itself. */
export const KNOWN_PROXY_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(block.shape),
  rules: Object.keys(rule.shape),
  proxies: Object.keys(rule.shape),
  registryMirror: Object.keys(mirror.shape),
  registries: Object.keys(namedRegistry.shape),
  users: Object.keys(user.shape),
  basicAuth: Object.keys(user.shape),
  upstreams: Object.keys(upstreams.shape),
  interception: Object.keys(interception.shape),
  hijackHTTPS: Object.keys(interception.shape),
  "interception.hosts": Object.keys(hosts.shape),
  "hijackHTTPS.hosts": Object.keys(hosts.shape),
  security: Object.keys(security.shape),
  tcpListen: Object.keys(tcpListen.shape),
};
