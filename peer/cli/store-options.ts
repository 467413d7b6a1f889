/** What the caller says of the store of a URL: flags first, else the variables that the store's own tools read, since those
 *  of the peer's process are somebody else's. */
import { resolve } from "node:path";
import { flagOf, type SettingFault } from "../../schema/settings.ts";
import { type StoreOptions, storeOptionsSchema } from "../../schema/wire/store-options.ts";
import type { Environment } from "../source/driver.ts";
import { KEYS_FOR_NOBODY, s3OptionsOf } from "./s3-options.ts";
import { STORAGE_SETTINGS, type StorageSettings } from "./storage-settings.ts";
import { isStorageFlagOf, type StoreFlags, storeFlagsOf } from "./store-flags.ts";

export interface StoreWords {
  readonly url: string;
  /** Those that are right; one that is absent altogether was wrong. */
  readonly settings: Partial<StorageSettings>;
  /** What was given as flags, by key. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  /** Where relative paths start. */
  readonly cwd: string;
}

export interface ReadStoreOptions {
  /** Empty when nothing is said. */
  readonly options: StoreOptions;
  readonly faults: readonly SettingFault[];
}

const PLACE = new Set<keyof StoreOptions>(["endpoint", "region", "accountName", "userProject"]);

/** @throws ProblemError `bad-request` for a URL of Azure that names no container */
export async function storeOptionsOf(words: StoreWords): Promise<ReadStoreOptions> {
  const scheme = /^([a-z0-9]+):/i.exec(words.url)?.[1]?.toLowerCase() ?? "";
  const strangers = strangeFlags(scheme, words.flags);
  const known = storeFlagsOf(scheme);
  const read =
    scheme === "s3"
      ? s3OptionsOf(words.settings, words.env)
      : known === undefined
        ? { options: {}, faults: [] }
        : await tokenOptions(known, words);
  return { options: read.options, faults: [...strangers, ...read.faults] };
}

async function tokenOptions(known: StoreFlags, { url, settings, env, cwd }: StoreWords): Promise<ReadStoreOptions> {
  const place = given(known.place, settings);
  // What a flag that is wrong would have said about the rights nobody knows.
  const isWhole = [...Object.keys(known.credentials), "storageAnonymous"].every((key) => key in settings);
  if (!isWhole) return { options: place, faults: [] };
  const rights = given(known.credentials, settings);
  const hasRights = Object.keys(rights).length > 0;
  if (settings.storageAnonymous && hasRights) return { options: place, faults: [KEYS_FOR_NOBODY] };
  const missing = missingHalf(rights);
  if (missing !== undefined) return { options: place, faults: [missing] };

  const environment = await known.environment(url, env);
  const parsed = storeOptionsSchema.safeParse(withoutEmpty(environment.options));
  const found = parsed.success ? parsed.data : {};
  const takesRights = !hasRights && !settings.storageAnonymous;
  const options: StoreOptions = {
    ...Object.fromEntries(Object.entries(found).filter(([key]) => takesRights || PLACE.has(key as keyof StoreOptions))),
    ...place,
    ...rights,
    ...(settings.storageAnonymous ? { anonymous: true } : {}),
  };
  if (options.serviceAccountFile) options.serviceAccountFile = resolve(cwd, options.serviceAccountFile);
  return { options, faults: parsed.success ? [] : [unusable(environment.name)] };
}

function given(
  names: Readonly<Partial<Record<keyof StorageSettings, keyof StoreOptions>>>,
  settings: Partial<StorageSettings>,
): StoreOptions {
  const options: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(names)) {
    const value = settings[key as keyof StorageSettings];
    if (value !== undefined) options[option] = value;
  }
  return options;
}

/** An empty text is how environments say "not set". */
function withoutEmpty(options: StoreOptions): StoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== ""));
}

function missingHalf({ accessKeyId, secretAccessKey, sessionToken }: StoreOptions): SettingFault | undefined {
  if (accessKeyId === undefined && secretAccessKey === undefined && sessionToken === undefined) return undefined;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return undefined;
  return {
    origin: accessKeyId === undefined ? "--storage-access-key-id" : "--storage-access-key-secret",
    value: "not set",
    problem: "is needed with the other storage credentials",
    remedy: "Give the access key and its secret together",
  };
}

function strangeFlags(scheme: string, flags: Readonly<Record<string, unknown>>): SettingFault[] {
  const keys = Object.keys(STORAGE_SETTINGS) as (keyof StorageSettings)[];
  return keys
    .filter((key) => flags[key] !== undefined && !isStorageFlagOf(key, scheme))
    .map((key) => ({
      origin: flagOf(key),
      value: "set",
      problem: `means nothing for ${scheme}:// URLs`,
      remedy: "Leave it out",
    }));
}

function unusable(origin: string): SettingFault {
  return { origin, value: "hidden", problem: "is not usable", remedy: "Mend or unset the variables" };
}
