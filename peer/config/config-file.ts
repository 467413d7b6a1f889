/** The YAML file that `--config` or `PANTALA_CONFIG` names. */
import { flagOf, type SettingFault, variableOf } from "../../schema/settings.ts";
import { absolutePath } from "./paths.ts";
import { PLACE_SETTINGS } from "./place-settings.ts";
import { isReadableByOthers, type ReadTextFile, readTextFile } from "./text-file.ts";

export interface ConfigFile {
  /** Absolute path: what faults call it. */
  readonly name: string;
  readonly values: unknown;
  readonly readableByOthers: boolean;
}

export interface ConfigFileSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly readFile?: ReadTextFile | undefined;
}

export interface FoundConfigFile {
  /** Absent when none is named, or when it has faults. */
  readonly file?: ConfigFile;
  readonly faults: readonly SettingFault[];
}

/** A name that is wrong in itself is no fault here: it is found with the other settings. */
export async function readConfigFile(sources: ConfigFileSources): Promise<FoundConfigFile> {
  const { flags, env, cwd, readFile = readTextFile } = sources;
  const named = PLACE_SETTINGS.config.schema.safeParse(flags.config ?? (env[variableOf("config")] || undefined));
  if (!named.success || named.data === undefined) return { faults: [] };
  const name = absolutePath(named.data, { env, cwd });
  const origin = flags.config === undefined ? variableOf("config") : flagOf("config");
  const faulty = (problem: string): FoundConfigFile => ({
    faults: [{ origin, value: name, problem, remedy: PLACE_SETTINGS.config.remedy }],
  });
  try {
    const text = await readFile(name);
    if (text === undefined) return faulty("there is no such file");
    // The YAML parser is a fifth of what a command loads, and most are given no file.
    const { parseYamlFile } = await import("../../schema/settings-file.ts");
    const parsed = parseYamlFile(name, text.text);
    if (parsed.kind === "faults") return { faults: parsed.faults };
    return { file: { name, values: parsed.values, readableByOthers: isReadableByOthers(text) }, faults: [] };
  } catch (error) {
    return faulty(`cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
