/** The settings of a peer: one table for flags, environment, YAML file and `--help`. */
import { z } from "zod";
import {
  byteSize,
  type ListenAddress,
  listenAddress,
  longDuration,
  type SettingsOf,
  type SettingsTable,
} from "../../schema/settings.ts";
import { pathSetting, SHARED_SETTINGS } from "../../schema/shared-settings.ts";
import { addressField, labelField, textField } from "../../schema/wire/fields.ts";
import { HOST_ROLES, type HostRole } from "../../schema/wire/host.ts";
import { storeOptionsSchema } from "../../schema/wire/store-options.ts";
import { DEFAULT_EVICTION_POLICY } from "../core/evict.ts";
import {
  DEFAULT_MAX_DOWNLOADS,
  DEFAULT_MAX_UPLOADS,
  DEFAULT_MEMORY_BUDGET_BYTES,
  DEFAULT_TRANSFER_POLICY,
  MOST_DOWNLOADS,
} from "../core/policy.ts";
import type { ProxySettings } from "../proxy/proxy-settings.ts";
import { type TorchServeSettings, torchServeBlock } from "../torchserve/torchserve-settings.ts";
import type { Advertised } from "./advertised.ts";
import { GATEWAY_SETTINGS, type GatewaySettings } from "./gateway-settings.ts";
import { isHostOrNetwork } from "./network-name.ts";
import { PLACE_SETTINGS } from "./place-settings.ts";
import { PROXY_SETTINGS } from "./proxy-settings.ts";
import { byteRate, RATE_SETTINGS } from "./rate-settings.ts";
import { STORE_PREFIX } from "./store-prefix.ts";
import { wholeNumber } from "./whole-number.ts";

export const DEFAULT_SCHEDULER = "http://127.0.0.1:8002";
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const schedulerUrl = z
  .url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" })
  .max(1024)
  .refine((url) => /^https?:\/\/[^@?#]+$/i.test(url), "must not hold user info, a query or a fragment")
  .transform((url) => url.replace(/\/+$/, ""));

const storeRule = z
  .strictObject({
    /** Objects whose URL starts with this are read with these options; the longest prefix wins. */
    prefix: z
      .string()
      .max(2048)
      .regex(STORE_PREFIX, "must be SCHEME://bucket or SCHEME://bucket/prefix, the scheme one of those that are read"),
    reads: wholeNumber(1, 1024).optional(),
    rate: byteRate.optional(),
    ...storeOptionsSchema.shape,
  })
  .refine((rule) => (rule.accessKeyId === undefined) === (rule.secretAccessKey === undefined), {
    message: "accessKeyId and secretAccessKey belong together",
  });
export type StoreRule = z.infer<typeof storeRule>;

const storeRules = z
  .array(storeRule, { error: "must be a list of rules" })
  .max(1000)
  .refine((rules) => new Set(rules.map((rule) => rule.prefix)).size === rules.length, "a prefix is given twice");

/** Less would hardly take the piece that is asked for. */
const roomForPieces = byteSize.refine((bytes) => bytes >= 1024 * 1024, "must be at least 1MiB");
const percentOf = (share: number) => Math.round(share * 100);

export const PEER_SETTINGS = {
  role: {
    schema: z.enum(HOST_ROLES).default("normal"),
    value: "ROLE",
    help: "normal, or seed: reads the source on behalf of the cluster",
    remedy: "Use normal or seed",
  },
  scheduler: {
    schema: schedulerUrl.default(DEFAULT_SCHEDULER),
    value: "URL",
    help: "scheduler of the cluster",
    remedy: `Use the address the scheduler printed at its start, such as ${DEFAULT_SCHEDULER}`,
  },
  token: SHARED_SETTINGS.token,
  tokenFile: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "file that holds the cluster token",
    remedy: "Name a readable file that holds the token and nothing else",
    defaultText: "DATA_DIR/cluster-token",
  },
  dataDir: PLACE_SETTINGS.dataDir,
  socket: PLACE_SETTINGS.socket,
  listen: {
    schema: listenAddress.default({ hostname: "127.0.0.1", port: 65_002 }),
    value: "HOST:PORT",
    help: "where other peers fetch pieces; 0.0.0.0 or [::] listens on every interface, port 0 picks a free one",
    remedy: "Use HOST:PORT such as 0.0.0.0:65002",
    defaultText: "127.0.0.1:65002",
  },
  advertise: {
    schema: addressField.transform((origin) => origin.toLowerCase()).optional(),
    value: "ORIGIN",
    help: "origin under which other peers reach the piece port",
    remedy: "Use an origin such as http://10.0.0.7:65002, without a path",
    defaultText: "from --listen; the first address of this machine when that is every interface",
  },
  hostname: {
    schema: textField(255).min(1, "must not be empty").optional(),
    value: "NAME",
    help: "name of this host for people",
    remedy: "Use a name of at most 255 characters",
    defaultText: "what the system says",
  },
  idc: {
    schema: labelField.default(""),
    value: "NAME",
    help: "network site; neighbours of the same site are preferred",
    remedy: "Use a name of at most 256 characters",
  },
  location: {
    schema: labelField.default(""),
    value: "PATH",
    help: "path from wide to narrow, such as eu/zone-b/rack-7",
    remedy: "Use a path of at most 256 characters",
  },
  maxUploads: {
    schema: wholeNumber(1, 4096).default(DEFAULT_MAX_UPLOADS),
    value: "N",
    help: "most pieces served to other peers at the same time",
    remedy: "Use a whole number",
    live: true,
  },
  maxDownloads: {
    schema: wholeNumber(1, MOST_DOWNLOADS).default(DEFAULT_MAX_DOWNLOADS),
    value: "N",
    help: "most pieces asked of other peers at the same time, over all downloads",
    remedy: "Use a whole number",
    live: true,
  },
  memoryBudget: {
    schema: roomForPieces.default(DEFAULT_MEMORY_BUDGET_BYTES),
    value: "SIZE",
    help: "most bytes asked of other peers and not yet kept, over all downloads; a single piece may be longer",
    remedy: "Use a size such as 128MiB",
    defaultText: "128MiB",
    live: true,
  },
  streamsPerParent: {
    schema: wholeNumber(1, 16).default(DEFAULT_TRANSFER_POLICY.requestsPerParent),
    value: "N",
    help: "most requests one download has open to one peer",
    remedy: "Use a whole number",
    live: true,
  },
  ...RATE_SETTINGS,
  diskQuota: {
    schema: roomForPieces.optional(),
    value: "SIZE",
    help: "most bytes the store may take on the disk",
    remedy: "Use a size such as 200GiB, or leave it out",
    defaultText: "what the disk has",
    live: true,
  },
  diskHigh: {
    schema: wholeNumber(1, 100).default(percentOf(DEFAULT_EVICTION_POLICY.highShare)),
    value: "PERCENT",
    help: "high watermark: eviction begins when more of the quota, or of what the disk has for the store, is taken",
    remedy: "Use a percentage above the low watermark",
    live: true,
  },
  diskLow: {
    schema: wholeNumber(0, 99).default(percentOf(DEFAULT_EVICTION_POLICY.lowShare)),
    value: "PERCENT",
    help: "low watermark: eviction ends when no more than this is taken",
    remedy: "Use a percentage below the high watermark",
    live: true,
  },
  taskTtl: {
    schema: longDuration.default(DEFAULT_EVICTION_POLICY.unusedTtlMs),
    value: "TIME",
    help: "a task nobody used for longer is evicted; 0 is never",
    remedy: "Use a duration such as 12h or 30d",
    defaultText: "30d",
    live: true,
  },
  scrubInterval: {
    schema: longDuration.default(7 * 86_400_000),
    value: "TIME",
    help: "every piece on the disk is verified again once in this time; 0 is never",
    remedy: "Use a duration such as 12h or 7d",
    defaultText: "7d",
    live: true,
  },
  pullAllow: {
    schema: z
      .array(z.string().refine(isHostOrNetwork, "must be a host name, an address or a network"), {
        error: "must be a list",
      })
      .max(1000)
      .transform((entries) => entries.map((entry) => entry.toLowerCase()))
      .default([]),
    value: "HOST",
    help: "host, address or network a seed reads for others although it is loopback or link-local; repeatable",
    remedy: "Use entries such as store.internal, 127.0.0.1 or 169.254.10.0/24",
    list: true,
    live: true,
  },
  stores: {
    schema: storeRules.default([]),
    help: "rules for the URLs of stores, each a prefix with options such as endpoint, region, accessKeyId, secretAccessKey, accountKey, sasToken, accessToken, serviceAccountFile, anonymous, and its budget: reads, rate (docs/stores.md)",
    remedy: "Write a list of rules, each with a prefix such as s3://models",
    secret: true,
    only: "file",
    live: true,
  },
  ...GATEWAY_SETTINGS,
  ...PROXY_SETTINGS,
  torchserve: {
    schema: torchServeBlock.optional(),
    help: "answer before TorchServe, as `pantala torchserve` does: modelStore, config, management, listen, keyFile",
    remedy: "Write a mapping with modelStore, the folder torchserve was started with",
    only: "file",
  },
  logLevel: {
    schema: z.enum(LOG_LEVELS).default("info"),
    value: "LEVEL",
    help: "least serious lines to log: debug, info, warn or error",
    remedy: "Use debug, info, warn or error",
    live: true,
  },
  config: PLACE_SETTINGS.config,
} as const satisfies SettingsTable;

export type PeerTable = typeof PEER_SETTINGS;
/** As given, before paths, token and address are worked out. */
export type GivenPeerSettings = SettingsOf<PeerTable>;

/** Bytes a second; `undefined` is no limit. */
export type RateSettings = Readonly<SettingsOf<typeof RATE_SETTINGS>>;

/** Everything a peer is told at its start; paths are absolute. */
export interface PeerSettings extends RateSettings, GatewaySettings {
  readonly role: HostRole;
  /** Base URL without a slash at the end. */
  readonly scheduler: string;
  /** Secret of the cluster: never logged. */
  readonly token: string;
  readonly dataDir: string;
  /** Path of the unix socket; fits the 107 bytes the kernel allows. */
  readonly socket: string;
  /** Port 0 lets the system choose. */
  readonly listen: ListenAddress;
  /** See `advertisedOrigin`. */
  readonly advertised: Advertised;
  readonly hostname: string;
  readonly idc: string;
  readonly location: string;
  readonly maxUploads: number;
  readonly maxDownloads: number;
  /** Bytes. */
  readonly memoryBudget: number;
  readonly streamsPerParent: number;
  /** Most bytes the store may take; `undefined` leaves it to what the disk has. */
  readonly diskQuota: number | undefined;
  /** Per cent, `diskLow` below `diskHigh`; see `EvictionPolicy`. */
  readonly diskHigh: number;
  readonly diskLow: number;
  /** Milliseconds; 0 is never. */
  readonly taskTtl: number;
  readonly scrubInterval: number;
  /** Host names, addresses and networks (`10.0.0.0/8`), in lower case. */
  readonly pullAllow: readonly string[];
  readonly stores: readonly StoreRule[];
  /** `undefined`: where people expect it, when nobody else listens there. */
  readonly proxyListen: ListenAddress | "off" | undefined;
  readonly proxy: ProxySettings;
  readonly torchserve: TorchServeSettings | undefined;
  readonly logLevel: LogLevel;
}
