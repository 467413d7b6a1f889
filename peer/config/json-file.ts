/** JSON files that other programs made known, such as Dragonfly's: every fault of one is told at once. */
import type { z } from "zod";
import type { SettingFault } from "../../schema/settings.ts";
import { isReadableByOthers, type ReadTextFile, readTextFile } from "./text-file.ts";

export type ReadJson<Value> =
  | { readonly kind: "value"; readonly value: Value; readonly readableByOthers: boolean }
  | { readonly kind: "absent" }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** @param name absolute path
 *  @param remedy what to do about a field that is wrong, as a sentence without a full stop */
export async function readJsonFile<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  remedy: string,
  readFile: ReadTextFile = readTextFile,
): Promise<ReadJson<z.output<Schema>>> {
  const faulty = (problem: string): ReadJson<never> => ({
    kind: "faults",
    // What a file that is no JSON holds may be a secret.
    faults: [{ origin: name, value: "hidden", problem, remedy: "Mend the file, or name another one" }],
  });
  let found: Awaited<ReturnType<ReadTextFile>>;
  try {
    found = await readFile(name);
  } catch (error) {
    return faulty(`cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  if (found === undefined) return { kind: "absent" };
  let json: unknown;
  try {
    json = JSON.parse(found.text);
  } catch {
    return faulty("is not valid JSON");
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: "value", value: parsed.data, readableByOthers: isReadableByOthers(found) };
  const faults = parsed.error.issues.map(({ path, message }) => ({
    origin: path.length === 0 ? name : `${path.map(String).join(".")} in ${name}`,
    value: at(json, path) === undefined ? "not set" : "hidden",
    problem: message,
    remedy,
  }));
  return { kind: "faults", faults };
}

function at(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
