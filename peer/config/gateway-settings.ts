/** The S3 gateway: rows of the table of settings. */
import { z } from "zod";
import {
  duration,
  listenAddress,
  type SettingFault,
  type SettingsOf,
  type SettingsTable,
} from "../../schema/settings.ts";
import { textField } from "../../schema/wire/fields.ts";
import type { GatewayBucket } from "../gateway/gateway-access.ts";
import { STORE_PREFIX } from "./store-prefix.ts";

const NAME_RULE = "must be a name of 3 to 63 lower-case letters, digits, dots and hyphens";
/** As S3 has them, so that every client takes them and a host can be called so. */
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, NAME_RULE);

/** A location is a folder: `s3://models/prod` is all that is under `prod/`. */
const location = z
  .string({ error: "must be a location such as s3://models or s3://models/prod" })
  .max(2048)
  .regex(STORE_PREFIX, "must be SCHEME://bucket or SCHEME://bucket/folder, the scheme one of those that are read")
  .refine((text) => !/^ab?s:.*\?.*\bsig=/i.test(text), "must not hold a signature: write it into stores, as sasToken")
  .transform((text) => (text.endsWith("/") ? text : `${text}/`));

const bucket = z.preprocess(
  (given) => (typeof given === "string" ? { location: given } : given),
  z.strictObject({ location, anonymous: z.boolean().default(false) }),
);

const buckets = z
  .record(z.string(), bucket, { error: "must be a mapping of names to locations" })
  .superRefine((map, context) => {
    for (const name of Object.keys(map)) {
      const { error } = bucketName.safeParse(name);
      if (error !== undefined) context.addIssue({ code: "custom", path: [name], message: NAME_RULE });
    }
  })
  .refine((map) => Object.keys(map).length <= 1000, "must be at most 1000")
  .transform((map): readonly GatewayBucket[] => Object.entries(map).map(([name, rest]) => ({ name, ...rest })));

/** The characters that signatures put around an id. */
const accessKeyId = textField(128)
  .min(3, "must have at least 3 characters")
  .regex(/^[^\s,/=]*$/, "must not hold spaces, commas, slashes or equals signs");

const gatewayKey = z.strictObject({
  accessKeyId,
  secretAccessKey: textField(256).min(8, "must have at least 8 characters"),
  buckets: z.array(bucketName, { error: "must be a list of names" }).max(1000).optional(),
});

const gatewayKeys = z
  .array(gatewayKey, { error: "must be a list of keys" })
  .max(1000)
  .refine((keys) => new Set(keys.map((key) => key.accessKeyId)).size === keys.length, "an accessKeyId is given twice");

export const GATEWAY_SETTINGS = {
  gatewayListen: {
    schema: listenAddress.default({ hostname: "127.0.0.1", port: 65_004 }),
    value: "HOST:PORT",
    help: "where S3 clients read the buckets of this peer, when there are any",
    remedy: "Use HOST:PORT such as 127.0.0.1:65004",
    defaultText: "127.0.0.1:65004",
    live: true,
  },
  gatewayDomain: {
    schema: textField(253)
      .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i, "must be a host name")
      .transform((name) => name.toLowerCase())
      .optional(),
    value: "NAME",
    help: "domain under which S3 clients may call buckets: BUCKET.NAME; in the path they always may",
    remedy: "Use a host name such as s3.internal, whose subdomains lead to this peer",
    defaultText: "none",
    live: true,
  },
  gatewayCache: {
    schema: duration.default(2000),
    value: "TIME",
    help: "how long the gateway shares what a store said of a bucket, a listing or an object read in ranges; 0 is not at all",
    remedy: "Use a duration such as 2s",
    defaultText: "2s",
    live: true,
  },
  buckets: {
    schema: buckets.default([]),
    help: "what the S3 gateway serves: NAME: LOCATION, or NAME: {location, anonymous}",
    remedy: "Write names and locations, such as models: s3://models/prod",
    only: "file",
    live: true,
  },
  gatewayKeys: {
    schema: gatewayKeys.default([]),
    help: "keys of S3 clients of the gateway: accessKeyId, secretAccessKey, and buckets when it may not read all",
    remedy: "Write a list of keys, each with accessKeyId and secretAccessKey",
    secret: true,
    only: "file",
    live: true,
  },
} as const satisfies SettingsTable;

export type GatewaySettings = Readonly<SettingsOf<typeof GATEWAY_SETTINGS>>;

/** What is wrong between settings that are right by themselves. */
export function gatewayFaults(
  given: Partial<GatewaySettings>,
  origins: Readonly<Record<keyof GatewaySettings, string>>,
): SettingFault[] {
  const { buckets: served, gatewayKeys: keys } = given;
  if (served === undefined || keys === undefined) return [];
  const unknown = keys.flatMap((key) => key.buckets ?? []).filter((name) => !served.some((each) => each.name === name));
  const faults = [...new Set(unknown)].map((name) => ({
    origin: origins.gatewayKeys,
    value: name,
    problem: "is none of buckets",
    remedy: "Name a bucket that is there, or add it",
  }));
  if (served.length > 0 && keys.length === 0 && !served.some((each) => each.anonymous)) {
    faults.push({
      origin: origins.buckets,
      value: served.map(({ name }) => name).join(", "),
      problem: "nobody may read them",
      remedy: "Add gatewayKeys, or anonymous: true to a bucket that everybody who reaches the gateway may read",
    });
  }
  return faults;
}
