/** Registers an archive that lies in the model store, and says what TorchServe answered. */
import { ProblemError } from "../../schema/problem.ts";
import type { ModelServer, ServerReply } from "../serving/model-server.ts";

export interface Registration {
  /** Name of the archive in the model store. */
  readonly archive: string;
  /** What the caller asked besides: `model_name`, `handler`, `initial_workers` and so on, passed on as they are. */
  readonly parameters: URLSearchParams;
  /** Absent where TorchServe demands no tokens. */
  readonly authorization: string | undefined;
  readonly signal: AbortSignal;
}

export interface Registered {
  readonly status: number;
  /** What TorchServe says, and what to do when it refuses. */
  readonly text: string;
  /** TorchServe's class of the error. */
  readonly type: string | undefined;
  readonly rawHeaders: readonly string[];
}

/** @throws ProblemError `server-unreachable` when TorchServe does not answer, `bad-message` when something else does */
export async function register(api: ModelServer, registration: Registration): Promise<Registered> {
  const query = new URLSearchParams({ url: registration.archive });
  for (const [name, value] of registration.parameters) query.append(name, value);
  const { authorization, signal } = registration;
  const rawHeaders = ["Host", new URL(api.url).host, "Accept", "*/*", "Content-Length", "0"];
  if (authorization !== undefined) rawHeaders.push("Authorization", authorization);
  const reply = await api.ask({ method: "POST", target: `/models?${query}`, rawHeaders, signal });
  return readReply(api, reply);
}

function readReply(api: ModelServer, { status, rawHeaders, text }: ServerReply): Registered {
  const said = objectIn(text);
  const { status: done, message, type } = said ?? {};
  const words = typeof done === "string" ? done : message;
  if (typeof words !== "string") {
    throw new ProblemError(
      "bad-message",
      `Whatever answers at ${api.url} is no TorchServe (HTTP status ${status}): name its management API with --management`,
    );
  }
  const kind = typeof type === "string" ? type : undefined;
  return { status, type: kind, rawHeaders, text: words + remedyOf(status, kind) };
}

/** TorchServe does not say what its operator has to do. */
function remedyOf(status: number, type: string | undefined): string {
  if (status === 405) return ". Start TorchServe with --enable-model-api: it registers no models over HTTP otherwise";
  if (type === "InvalidKeyException") {
    return ". Name TorchServe's key_file.json with --key-file, send its management key, or start TorchServe with --disable-token-auth";
  }
  return "";
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
