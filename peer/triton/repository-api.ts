/** Triton's model repository API: `POST /v2/repository/models/NAME/load`. */
import { ProblemError } from "../../schema/problem.ts";
import { ModelServer } from "../serving/model-server.ts";

export class RepositoryApi {
  readonly #server: ModelServer;

  /** @param url `http://host:port` */
  constructor(url: string) {
    this.#server = new ModelServer(url, {
      name: "Triton",
      remedy: `start tritonserver with --http-port ${new URL(url).port || "80"}, or name the right address with --load`,
    });
  }

  /** Whether it answers for the model: one that was started anew in explicit mode has loaded none.
   *  @throws ProblemError `server-unreachable` */
  async isReady(model: string, signal: AbortSignal): Promise<boolean> {
    const rawHeaders = ["Host", new URL(this.#server.url).host];
    const target = `/v2/models/${encodeURIComponent(model)}/ready`;
    return (await this.#server.ask({ method: "GET", target, rawHeaders, signal })).status === 200;
  }

  /** Resolves once the model is ready. @throws ProblemError `server-refused` with what Triton says, `server-unreachable` */
  async load(model: string, signal: AbortSignal): Promise<void> {
    const body = "{}";
    const { host } = new URL(this.#server.url);
    const rawHeaders = ["Host", host, "Content-Type", "application/json", "Content-Length", String(body.length)];
    const target = `/v2/repository/models/${encodeURIComponent(model)}/load`;
    const { status, text } = await this.#server.ask({ method: "POST", target, rawHeaders, body, signal });
    if (status === 200) return;
    const said = errorIn(text) ?? `HTTP status ${status}`;
    throw new ProblemError("server-refused", `Triton did not load ${model}: ${said}${remedyFor(said)}`);
  }
}

function remedyFor(said: string): string {
  if (/explicit model load \/ unload is not allowed/i.test(said)) {
    return ". Start tritonserver with --model-control-mode=explicit";
  }
  if (/failed to poll from model repository/i.test(said)) {
    return ". Triton's log says why; its --model-repository must be the folder of --repository";
  }
  return "";
}

function errorIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown };
    return typeof error === "string" ? error.trim().replace(/[.;\s]+$/, "") : undefined;
  } catch {
    return undefined;
  }
}
