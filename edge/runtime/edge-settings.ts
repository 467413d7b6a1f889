/** The settings of a self-hosted scheduler: one table for flags, environment, YAML file and `--help`. */
import { z } from "zod";
import { byteSize, listenAddress, onOff, type SettingsOf, type SettingsTable } from "../../schema/settings.ts";
import { pathSetting, SHARED_SETTINGS } from "../../schema/shared-settings.ts";

export const DEFAULT_PORT = 8002;
const MAX_SHARDS = 256;
/** A piece of the shortest kind takes a second then. */
const MIN_RATE_BYTES = 64 * 1024;
const databaseUrl = z
  .string({ error: "must be a URL" })
  .max(2048)
  .regex(/^(libsql|https?|wss?):\/\/[^\s@]+$/i, "must be libsql://, https:// or http:// without user info")
  .refine((url) => !/[?&]authToken=/i.test(url), "must not hold the token");

export const shardCount = z
  .union([z.number(), z.string()])
  .transform(Number)
  .pipe(z.int("must be a whole number").min(1, "must be at least 1").max(MAX_SHARDS, `must be at most ${MAX_SHARDS}`))
  .default(1);

/** Bytes a second. */
export const sourceRate = byteSize.refine((bytes) => bytes >= MIN_RATE_BYTES, "must be at least 64KiB a second");

export const EDGE_SETTINGS = {
  listen: {
    schema: listenAddress.default({ hostname: "127.0.0.1", port: DEFAULT_PORT }),
    value: "HOST:PORT",
    help: "where peers and queries reach the scheduler; 0.0.0.0 or [::] listens on every interface, port 0 picks a free one",
    remedy: "Use HOST:PORT such as 0.0.0.0:8002",
    defaultText: `127.0.0.1:${DEFAULT_PORT}`,
  },
  dataDir: {
    schema: pathSetting.optional(),
    value: "FOLDER",
    help: "where the database and the cluster token are kept",
    remedy: "Name a folder this user can write",
    defaultText: "$XDG_DATA_HOME/pantala, else ~/.local/share/pantala",
  },
  database: {
    schema: databaseUrl.optional(),
    value: "URL",
    help: "libSQL server that keeps what the scheduler knows, such as libsql://db.example.com; used by one scheduler only",
    remedy: "Use libsql://HOST, https://HOST or http://HOST, and give the token as databaseAuthToken",
    defaultText: "scheduler.db in the data folder",
  },
  databaseAuthToken: {
    schema: z.string({ error: "must be text" }).trim().min(1, "must not be empty").max(8192).optional(),
    value: "TOKEN",
    help: "token of the database server; `ps` shows flags to everybody, so prefer the variable",
    remedy: "Use the token the database server issued",
    defaultText: "none",
    secret: true,
  },
  shards: {
    schema: shardCount,
    value: "N",
    help: "shards, each with a database file of its own; changing the number starts them empty, and peers state anew what they hold",
    remedy: `Use a whole number from 1 to ${MAX_SHARDS}; 1 is right below some thousand hosts`,
  },
  token: SHARED_SETTINGS.token,
  tokenFile: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "file that holds the cluster token",
    remedy: "Name a readable file that holds the token and nothing else",
    defaultText: "DATA_DIR/cluster-token, made at the first start",
  },
  openQueries: {
    schema: onOff.optional(),
    help: "answer queries without the token (--no-open-queries: never); peers always need it",
    remedy: "Use true or false",
    defaultText: "true when only this machine can connect",
  },
  taskSourceRate: {
    schema: sourceRate.optional(),
    value: "SIZE",
    help: "most bytes a second that all hosts together read of the source of one task",
    remedy: "Use a size such as 200MiB, or leave it out",
    defaultText: "unlimited",
  },
  config: SHARED_SETTINGS.config,
} as const satisfies SettingsTable;

export type EdgeTable = typeof EDGE_SETTINGS;
/** As given, before paths and the token are worked out. */
export type GivenEdgeSettings = SettingsOf<EdgeTable>;
