import { ProblemError } from "../../schema/problem.ts";
import { flagOf, variableOf } from "../../schema/settings.ts";

const REASONS: Record<string, string> = {
  EADDRINUSE: "another process listens there",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this user may not",
  ENOENT: "its folder does not exist",
};

/** Why a server cannot listen: `in-use`, else `conflict`. @param setting key of the setting that says where
 *  @param onlyFlag it has no variable */
export function listenProblem(where: string, setting: string, cause: unknown, onlyFlag = false): ProblemError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const why = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new ProblemError(
    code === "EADDRINUSE" ? "in-use" : "conflict",
    `Cannot listen on ${where}: ${why}. Use another address: ${onlyFlag ? flagOf(setting) : `${flagOf(setting)} or ${variableOf(setting)}`}`,
    { detail: { address: where, errorCode: code }, cause },
  );
}

/** Runs `listen`. @throws ProblemError as `listenProblem` makes it */
export function listening<Server>(where: string, setting: string, listen: () => Server): Server {
  try {
    return listen();
  } catch (cause) {
    throw listenProblem(where, setting, cause);
  }
}
