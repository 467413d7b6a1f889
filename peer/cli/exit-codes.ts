/** Exit codes of every `pantala` command. Scripts rely on them: a number is never given another meaning. */
import type { ProblemCode } from "../../schema/problem.ts";

export const EXIT_CODES = {
  done: { code: 0, meaning: "done" },
  internal: { code: 1, meaning: "a fault of Pantala itself" },
  usage: { code: 2, meaning: "the command or a setting is wrong" },
  noPeer: { code: 3, meaning: "no peer answers at the socket" },
  notFound: { code: 4, meaning: "the source, task or host does not exist" },
  sourceForbidden: { code: 5, meaning: "the source refuses these credentials" },
  sourceFailed: { code: 6, meaning: "the source cannot be reached, fails, changed, or lied about its content" },
  digest: { code: 7, meaning: "the content does not have the digest given" },
  disk: { code: 8, meaning: "the output exists or cannot be written, or the disk is full" },
  scheduler: { code: 9, meaning: "the scheduler cannot be reached, or refuses this peer" },
  timeout: { code: 10, meaning: "not complete in the time given" },
  busy: { code: 11, meaning: "in use at the moment" },
  modelServer: { code: 12, meaning: "TorchServe or Triton does not answer, or refuses the model" },
  interrupted: { code: 130, meaning: "interrupted (Ctrl-C); run the same command again to resume" },
  terminated: { code: 143, meaning: "terminated (SIGTERM)" },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type ExitName = keyof typeof EXIT_CODES;

export const EXIT_OF_PROBLEM: Readonly<Record<ProblemCode, ExitName>> = {
  internal: "internal",
  "bad-message": "internal",
  "not-found": "internal",
  "method-not-allowed": "internal",
  "shard-not-found": "internal",
  "bad-request": "usage",
  conflict: "usage",
  "body-too-large": "usage",
  "source-unsupported": "usage",
  "not-ready": "noPeer",
  "task-not-found": "notFound",
  "host-not-found": "notFound",
  "source-not-found": "notFound",
  "source-forbidden": "sourceForbidden",
  "source-refused": "sourceFailed",
  "source-unreachable": "sourceFailed",
  "source-changed": "sourceFailed",
  "source-lied": "sourceFailed",
  "source-size-unknown": "sourceFailed",
  "task-mismatch": "sourceFailed",
  "range-unsatisfiable": "sourceFailed",
  "digest-mismatch": "digest",
  "disk-full": "disk",
  "store-failed": "disk",
  "output-exists": "disk",
  "output-unwritable": "disk",
  "scheduler-unreachable": "scheduler",
  "database-unreachable": "scheduler",
  unauthorized: "scheduler",
  forbidden: "scheduler",
  "protocol-mismatch": "scheduler",
  timeout: "timeout",
  "in-use": "busy",
  "task-busy": "busy",
  "too-many-requests": "busy",
  "server-unreachable": "modelServer",
  "server-refused": "modelServer",
  cancelled: "interrupted",
};

export function exitCodeOf(problem: ProblemCode): number {
  return EXIT_CODES[EXIT_OF_PROBLEM[problem]].code;
}
