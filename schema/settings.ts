/** Settings as one table: each row drives a flag, an environment variable, a key of the YAML file and a line of
 *  `--help`. Precedence: flag > environment > file > default. Every fault is reported at once. */
import { z } from "zod";
import { describeIssues } from "./issues.ts";
import { withoutSecrets } from "./redact.ts";

export interface Setting<Schema extends z.ZodType = z.ZodType> {
  /** Reads the text of a flag or variable, or the value of a YAML key; gives the default when there is none. */
  readonly schema: Schema;
  /** Placeholder of the flag's value in `--help`, such as `HOST:PORT`; absent for a switch. */
  readonly value?: string;
  /** What it does, in a line of `--help`. */
  readonly help: string;
  /** What to do when the value is wrong, as a sentence without a full stop. */
  readonly remedy: string;
  /** The default as `--help` shows it, where the schema's own is not a plain value. */
  readonly defaultText?: string;
  /** Never shown again, not even in a fault. */
  readonly secret?: boolean;
  /** A list: the flag may be given several times, the variable is split at commas, the file holds a sequence. */
  readonly list?: boolean;
  /** A running process takes a new value when it reads its settings again; the others take it at their next start. */
  readonly live?: boolean;
  /** Where it can be set, when not everywhere: a key of the YAML file, a flag and a variable, or a flag. */
  readonly only?: "file" | "command" | "flag";
  /** One letter, for a flag that is typed often. */
  readonly short?: string;
  /** Names the flag had elsewhere (dfget, dfdaemon), still accepted. */
  readonly aliases?: readonly string[];
}

export type SettingsTable = Record<string, Setting>;
export type SettingsOf<Table extends SettingsTable> = { [Key in keyof Table]: z.output<Table[Key]["schema"]> };

export interface SettingFault {
  /** Where the value came from: `--listen`, `PANTALA_LISTEN` or `listen in pantala.yaml`. */
  readonly origin: string;
  readonly value: string;
  readonly problem: string;
  readonly remedy: string;
}

export interface SettingSources {
  /** By table key; absent when not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Contents of the YAML file and its name, for faults. */
  readonly file?: { readonly name: string; readonly values: unknown } | undefined;
}

/** `origins` says by key where each value came from; `valid` holds those that were right, for checks across settings. */
export type ResolvedSettings<Table extends SettingsTable> = {
  readonly origins: Readonly<Record<keyof Table, string>>;
} & (
  | { readonly kind: "settings"; readonly settings: SettingsOf<Table> }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[]; readonly valid: Partial<SettingsOf<Table>> }
);

/** `pieceLength` -> `--piece-length` */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `pieceLength` -> `PANTALA_PIECE_LENGTH` */
export function variableOf(key: string): string {
  return `PANTALA_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

export function resolveSettings<Table extends SettingsTable>(
  table: Table,
  sources: SettingSources,
): ResolvedSettings<Table> {
  const faults: SettingFault[] = [];
  const settings: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const file = fileValues(table, sources.file, faults);
  for (const [key, setting] of Object.entries(table)) {
    const found = find(key, setting, sources, file);
    origins[key] = found.origin;
    const parsed = setting.schema.safeParse(found.value);
    if (parsed.success) settings[key] = parsed.data;
    else faults.push(faultOf(setting, found, parsed.error));
  }
  const named = origins as Record<keyof Table, string>;
  if (faults.length > 0) {
    return { kind: "faults", faults, valid: settings as Partial<SettingsOf<Table>>, origins: named };
  }
  return { kind: "settings", settings: settings as SettingsOf<Table>, origins: named };
}

/** One line a fault: where, what it was, what is wrong, what to do. */
export function describeFaults(what: string, faults: readonly SettingFault[]): string {
  const lines = faults.map(
    (fault) => `  ${fault.origin}: ${fault.problem}: current value is ${fault.value}. ${fault.remedy}.`,
  );
  return `Cannot ${what}: ${faults.length} setting${faults.length === 1 ? " is" : "s are"} wrong\n${lines.join("\n")}`;
}

interface Found {
  readonly origin: string;
  readonly value: unknown;
}

function find(key: string, setting: Setting, sources: SettingSources, file: Record<string, unknown>): Found {
  const inFile = { origin: `${key} in ${sources.file?.name ?? "the configuration file"}`, value: file[key] };
  if (setting.only === "file") return inFile;
  const flag = sources.flags[key];
  if (flag !== undefined || setting.only === "flag") return { origin: flagOf(key), value: flag };
  const variable = sources.env[variableOf(key)];
  // An empty variable is how shells and manifests say "not set".
  if (variable !== undefined && variable !== "") {
    return { origin: variableOf(key), value: setting.list ? variable.split(",").map((part) => part.trim()) : variable };
  }
  if (Object.hasOwn(file, key)) return inFile;
  return { origin: flagOf(key), value: undefined };
}

function fileValues(
  table: SettingsTable,
  file: SettingSources["file"],
  faults: SettingFault[],
): Record<string, unknown> {
  // An empty YAML file reads as null.
  if (file === undefined || file.values === null || file.values === undefined) return {};
  if (typeof file.values !== "object" || Array.isArray(file.values)) {
    faults.push({
      origin: file.name,
      value: typeof file.values,
      problem: "must be a mapping of settings",
      remedy: "Write one `key: value` a line",
    });
    return {};
  }
  const values = file.values as Record<string, unknown>;
  const known = Object.keys(table).filter((key) => table[key]?.only === undefined || table[key].only === "file");
  for (const key of Object.keys(values)) {
    if (known.includes(key)) continue;
    faults.push({
      origin: `${key} in ${file.name}`,
      value: "set",
      problem: Object.hasOwn(table, key) ? "cannot be set in the file" : "is no setting",
      remedy: Object.hasOwn(table, key) ? `Give ${flagOf(key)} on the command line` : `Known are: ${known.join(", ")}`,
    });
  }
  return values;
}

/** Longest value that a fault repeats. */
const MAX_SHOWN_LENGTH = 200;

function faultOf(setting: Setting, found: Found, error: z.ZodError): SettingFault {
  const shown = found.value === undefined ? "not set" : setting.secret ? "hidden" : show(found.value);
  return { origin: found.origin, value: shown, problem: describeIssues(error), remedy: setting.remedy };
}

/** A value as a fault may show it: a URL may hold a secret wherever it was written. */
function show(value: unknown): string {
  const text = withoutSecrets(JSON.stringify(value));
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1024],
  ["kb", 1000],
  ["kib", 1024],
  ["m", 1024 ** 2],
  ["mb", 1e6],
  ["mib", 1024 ** 2],
  ["g", 1024 ** 3],
  ["gb", 1e9],
  ["gib", 1024 ** 3],
  ["t", 1024 ** 4],
  ["tb", 1e12],
  ["tib", 1024 ** 4],
]);

/** Bytes as people write them: `4MiB`, `500MB`, `1048576`. */
export const byteSize = z.union([z.number(), z.string()]).transform((input, context) => {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(input).trim());
  const unit = UNITS.get((match?.[2] ?? "").toLowerCase());
  const bytes = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) {
    context.addIssue({ code: "custom", message: "must be a number of bytes such as 4MiB, 500MB or 1048576" });
    return z.NEVER;
  }
  return bytes;
});

const DURATIONS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration as people write it, in milliseconds: `500ms`, `30s`, `2h`; `0` is none. A unit is demanded otherwise. */
const durationOfDays = (mostDays: number) =>
  z.union([z.number(), z.string()]).transform((input, context) => {
    const text = String(input).trim();
    if (text === "0") return 0;
    const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/i.exec(text);
    if (match === null) {
      context.addIssue({ code: "custom", message: "must be a duration such as 500ms, 30s, 10m or 2h" });
      return z.NEVER;
    }
    const ms = Math.round(Number(match[1]) * (DURATIONS[(match[2] ?? "").toLowerCase()] ?? 1));
    if (ms <= mostDays * 86_400_000) return ms;
    context.addIssue({ code: "custom", message: `must be at most ${mostDays}d` });
    return z.NEVER;
  });

/** A duration that a timer can wait for: one that is set for 2^31 ms, hardly 25 days, fires at once. */
export const duration = durationOfDays(24);

/** A duration between two times of the clock: up to 100 years. */
export const longDuration = durationOfDays(36_500);

/** A switch: a flag without value, or true/false, yes/no, on/off, 1/0 in a variable. */
export const onOff = z.union([z.boolean(), z.stringbool()]);

export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** `127.0.0.1:8002`, `[::1]:8002`, or `:8002` and `8002` for loopback. Port 0 lets the system choose. */
export const listenAddress = z.union([z.number(), z.string()]).transform((input, context): ListenAddress => {
  const match = /^(?:(\[[0-9a-f:.]+\]|[a-z0-9.-]*):)?(\d{1,5})$/i.exec(String(input).trim());
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    context.addIssue({
      code: "custom",
      message: "must be HOST:PORT such as 127.0.0.1:8002 or [::1]:8002, with a port of at most 65535",
    });
    return z.NEVER;
  }
  return { hostname: (match[1] || "127.0.0.1").replaceAll(/[[\]]/g, ""), port };
});

/** Whether only this machine can reach the address. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}
