import { ProblemError } from "../../schema/problem.ts";
import type { SettingFault } from "../../schema/settings.ts";

/** Faults of a command line as one error: in one line when there is one, else a line each. */
export function usageError(faults: readonly SettingFault[]): ProblemError {
  const lines = faults.map(
    ({ origin, value, problem, remedy }) => `${origin}: ${problem}: current value is ${value}. ${remedy}`,
  );
  const message = lines.length === 1 ? lines.join("") : `${lines.length} settings are wrong\n  ${lines.join("\n  ")}`;
  return new ProblemError("bad-request", message, { detail: { faults } });
}
