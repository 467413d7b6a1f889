/** What a task is told that the store's own quota has no room for. */
import { ProblemError } from "../../schema/problem.ts";
import { flagOf, variableOf } from "../../schema/settings.ts";
import type { Shortage } from "../core/evict.ts";

export function quotaExceeded(folder: string, neededBytes: number, shortage: Shortage): ProblemError {
  const { capacityBytes: quotaBytes, missingBytes } = shortage;
  return new ProblemError(
    "disk-full",
    `The store in ${folder} has no room: ${neededBytes} bytes are needed, its quota is ${quotaBytes} bytes, and whatever ` +
      `may be evicted ${missingBytes} bytes lack. Raise ${flagOf("diskQuota")} (${variableOf("diskQuota")}), or unpin or ` +
      "remove tasks (pantala task unpin, pantala task rm)",
    { detail: { folder, neededBytes, quotaBytes, missingBytes } },
  );
}
