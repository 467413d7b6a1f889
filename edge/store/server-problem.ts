/** Why a database server cannot be used, as people are told: nobody there, no right to ask, or no database. */
import { LibsqlError } from "@libsql/client";
import { isProblemError, ProblemError } from "../../schema/problem.ts";

/** A server that is silent for longer counts as down. */
const ANSWER_TIMEOUT_MS = 10_000;

/** `fetch` for a client of the database at `host`. Rejects with a ProblemError `database-unreachable` for everything that
 *  is no answer of a database. */
export function fetchFromServer(host: string): (request: Request) => Promise<Response> {
  return async (request) => {
    let status: number;
    let type: string;
    let body: ArrayBuffer;
    try {
      const response = await fetch(request, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      status = response.status;
      type = response.headers.get("content-type") ?? "";
      body = await response.arrayBuffer();
    } catch (cause) {
      throw unreachable(host, reasonOf(cause), cause);
    }
    if (status === 401 || status === 403) throw refusedToken(host);
    if (status >= 500 || status === 408 || status === 429) throw unreachable(host, `it answers HTTP ${status}`);
    const isAnswer = /^application\/(json|x-protobuf)\b/.test(type);
    // What a database says of a request it refuses is for the client to read.
    if (isAnswer && (status === 200 || status === 400))
      return new Response(body, { status, headers: { "content-type": type } });
    throw noDatabase(host, `HTTP ${status}, ${type === "" ? "without a type" : type.slice(0, 100)}`);
  };
}

/** The problem with the server at `host` beneath an error of its client; `undefined` when the database did answer. */
export function serverProblemOf(host: string, error: unknown): ProblemError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isProblemError(at)) return at;
    // JSON, or not as the protocol has it.
    if (at instanceof SyntaxError) return noDatabase(host, "its answer is no JSON");
    if (!(at instanceof LibsqlError)) continue;
    if (at.code === "HRANA_PROTO_ERROR") return noDatabase(host, "its answer does not fit the protocol");
    if (at.code.startsWith("AUTH")) return refusedToken(host);
    // Over WebSocket that is all there is to know.
    if (at.code === "HRANA_WEBSOCKET_ERROR" || at.code === "HRANA_CLOSED_ERROR") {
      return unreachable(host, "the connection failed", error);
    }
  }
  return undefined;
}

function unreachable(host: string, why: string, cause?: unknown): ProblemError {
  return new ProblemError(
    "database-unreachable",
    `The scheduler's database at ${host} cannot be reached: ${why}. Start the database server, or name another with --database`,
    { cause },
  );
}

function refusedToken(host: string): ProblemError {
  return new ProblemError(
    "database-unreachable",
    `The database server at ${host} refuses the token, or wants one: give the scheduler the token it issued with --database-auth-token or PANTALA_DATABASE_AUTH_TOKEN`,
  );
}

function noDatabase(host: string, answer: string): ProblemError {
  return new ProblemError(
    "database-unreachable",
    `What answers at ${host} is no libSQL database (${answer}): name one with --database`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no host of that name",
  EPROTO: "it speaks no TLS there",
};

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "the connection failed";
  if (cause.name === "TimeoutError") return `it gave no answer within ${ANSWER_TIMEOUT_MS / 1000} s`;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "the connection failed";
  return REASONS[code] ?? code;
}
