/** The YAML file of settings, for both sides. */
import { LineCounter, parseDocument } from "yaml";
import type { SettingFault } from "./settings.ts";

export type YamlFile =
  | { readonly kind: "values"; readonly values: unknown }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** Parses the file; each syntax fault tells line and column, and nothing of the text around it, which may be a secret.
 *  @param name how faults call the file */
export function parseYamlFile(name: string, text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0]);
      return fault(`${name}:${line}:${col}`, `is not valid YAML: ${error.message.split(":", 1)[0]}`);
    });
    return { kind: "faults", faults };
  }
  try {
    return { kind: "values", values: document.toJS() };
  } catch {
    return {
      kind: "faults",
      faults: [fault(name, "is not valid YAML: an alias names no anchor, or is used too often")],
    };
  }
}

function fault(origin: string, problem: string): SettingFault {
  return { origin, value: "hidden", problem, remedy: "Mend the file at this place" };
}
