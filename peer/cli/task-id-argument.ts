import type { SettingFault } from "../../schema/settings.ts";

/** Fewest digits of an abbreviated task id. */
const MIN_DIGITS = 4;

export interface TaskIdArguments {
  /** Task ids or their beginnings, in lower case. */
  readonly ids: readonly string[];
  readonly faults: readonly SettingFault[];
}

export function readTaskIds(texts: readonly string[]): TaskIdArguments {
  const ids = texts.map((text) => text.toLowerCase());
  const wrong = texts.filter((text) => text.length < MIN_DIGITS || !/^[0-9a-f]{1,64}$/i.test(text));
  return { ids, faults: wrong.map(faultOf) };
}

function faultOf(text: string): SettingFault {
  return {
    origin: "ID",
    value: JSON.stringify(text.slice(0, 80)),
    problem: `must be a task id of 64 hex digits, or at least its first ${MIN_DIGITS}`,
    remedy: "Use an id as `pantala task ls` prints it",
  };
}
