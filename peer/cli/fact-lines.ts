import { plainText } from "./human.ts";

/** `name   value` lines; facts without a value are left out. */
export function factLines(facts: readonly (readonly [name: string, value: string])[]): string {
  return facts
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(12)} ${plainText(value)}\n`)
    .join("");
}
