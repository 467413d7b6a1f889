/** From the words of a command line to a request to the peer. */
import { flagOf, type ResolvedSettings, resolveSettings, type SettingFault } from "../../schema/settings.ts";
import type { GetRequest } from "../../schema/wire/local.ts";
import type { CliContext } from "./cli-context.ts";
import { GET_SETTINGS, type GetSettings } from "./get-settings.ts";
import { STDOUT } from "./get-to-stdout.ts";
import { storeOptionsOf } from "./store-options.ts";

export type ReadGet =
  | { readonly kind: "get"; readonly url: URL; readonly settings: GetSettings; readonly request: GetRequest }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** Finds every fault of URL and flags at once; none of them repeats a secret. */
export async function readGet(
  text: string,
  flags: Readonly<Record<string, unknown>>,
  { env, cwd }: Pick<CliContext, "env" | "cwd">,
): Promise<ReadGet> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const faults: SettingFault[] = url === undefined ? [urlFault(text)] : [];
  const resolved: ResolvedSettings<typeof GET_SETTINGS> = resolveSettings(GET_SETTINGS, { flags, env });
  if (resolved.kind === "faults") faults.push(...resolved.faults);
  const given = resolved.kind === "settings" ? resolved.settings : resolved.valid;
  const store = await storeOptionsOf({ url: text, settings: given, flags, env, cwd });
  faults.push(...(url === undefined ? [] : store.faults), ...stdoutFaults(given), ...folderFaults(given, flags));
  if (faults.length > 0 || url === undefined || resolved.kind === "faults") return { kind: "faults", faults };

  const { settings } = resolved;
  const request: GetRequest = {
    source: {
      url: text,
      headers: settings.header,
      tag: settings.tag,
      application: settings.application,
      ...(settings.filteredQueryParam !== undefined && { filteredQueryParams: settings.filteredQueryParam }),
      ...(settings.pieceLength !== undefined && { pieceLengthBytes: settings.pieceLength }),
      ...(Object.keys(store.options).length > 0 && { store: store.options }),
    },
    ...(settings.digest !== undefined && { digest: settings.digest }),
    timeoutMs: settings.timeout,
  };
  return { kind: "get", url, settings, request };
}

/** Standard output takes the content and nothing else. */
function stdoutFaults({ output, json, forceHardLink }: Partial<GetSettings>): SettingFault[] {
  if (output !== STDOUT) return [];
  const problem = "does not go with -O -, which writes the content to standard output";
  const remedy = "Leave it out, or name a file with -O";
  return [
    ...(json ? [{ origin: "--json", value: "true", problem, remedy }] : []),
    ...(forceHardLink ? [{ origin: "--force-hard-link", value: "true", problem, remedy }] : []),
  ];
}

/** Flags that need -r, and flags that do not go with it. */
function folderFaults(given: Partial<GetSettings>, flags: Readonly<Record<string, unknown>>): SettingFault[] {
  if (given.recursive === undefined) return [];
  const fault = (key: keyof GetSettings, problem: string, remedy: string) =>
    flags[key] === undefined ? [] : [{ origin: flagOf(key), value: "set", problem, remedy }];
  if (!given.recursive) {
    const keys = ["include", "maxFiles", "parallel"] as const;
    return keys.flatMap((key) => fault(key, "is for folders", "Give -r as well, or leave it out"));
  }
  const stdout = given.output === STDOUT ? fault("output", "cannot be - with -r", "Name a folder with -O") : [];
  return [...stdout, ...fault("digest", "is for one file, and does not go with -r", "Leave it out")];
}

function urlFault(text: string): SettingFault {
  // What is no URL may still hold a password.
  const fault = { origin: "URL", value: /[@?]/.test(text) ? "hidden" : JSON.stringify(text.slice(0, 200)) };
  if (hasWrongPort(text)) {
    const remedy = "Write the port the server listens on, or none for the usual one of the scheme";
    return { ...fault, problem: "has a port that is no number from 0 to 65535", remedy };
  }
  return {
    ...fault,
    problem: "must be a whole URL",
    remedy: "Write it with its scheme, such as https://host/path or s3://bucket/key, in quotes if it holds an &",
  };
}

/** Whether a text that is no URL would be one with another port. */
function hasWrongPort(text: string): boolean {
  const withoutPort = text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#]*):[^:@\]/?#]+(?=[/?#]|$)/i, "$1");
  return withoutPort !== text && URL.canParse(withoutPort);
}
