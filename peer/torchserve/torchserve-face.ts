/** What answers in the place of TorchServe's management API: `POST /dragonfly/models` fetches peer to peer, everything
 *  else goes to TorchServe and back as it is. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Log } from "../../schema/log.ts";
import { problemOf } from "../../schema/problem.ts";
import { ModelServer } from "../serving/model-server.ts";
import { ModelInstaller, type ModelInstallerComponents } from "./install-model.ts";
import { ManagementKey } from "./management-key.ts";
import { problemReply, registeredReply, type StatusReply } from "./status-reply.ts";
import type { TorchServeSettings } from "./torchserve-settings.ts";

export interface TorchServeFaceComponents extends Omit<ModelInstallerComponents, "api" | "modelStore" | "log"> {
  readonly settings: TorchServeSettings;
  /** 32 hex digits, other ones each time. */
  readonly newTrace: () => string;
  readonly log: Log;
}

export class TorchServeFace {
  readonly #components: TorchServeFaceComponents;
  readonly #api: ModelServer;
  readonly #installer: ModelInstaller;
  readonly #key: ManagementKey | undefined;

  constructor(components: TorchServeFaceComponents) {
    const { management, modelStore, keyFile } = components.settings;
    const api = new ModelServer(management, {
      name: "TorchServe's management API",
      remedy: `start TorchServe with management_address=${management} in its config.properties, or name the right address with --management`,
    });
    this.#components = components;
    this.#api = api;
    this.#installer = new ModelInstaller({ ...components, api, modelStore });
    if (keyFile === undefined) return;
    this.#key = new ManagementKey({
      path: keyFile,
      nowMs: components.nowMs,
      renew: async (authorization) => {
        const rawHeaders = ["Host", new URL(management).host, "Authorization", authorization];
        const signal = AbortSignal.timeout(RENEWAL_MS);
        await api.ask({ method: "GET", target: "/token?type=management", rawHeaders, signal });
      },
    });
  }

  /** Answers one request, however that goes. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort(new Error("the client has gone")));
    const { method = "GET", url: target = "/" } = request;
    try {
      if (method === "POST" && INSTALL.test(target)) await this.#install(request, response, gone.signal);
      else await this.#pass({ method, target, request, response, signal: gone.signal });
    } catch (error) {
      if (gone.signal.aborted) return;
      const problem = problemOf(error);
      const { log } = this.#components;
      const told = problem.code === "internal" ? String(error) : problem.message;
      log("warn", "torchserve.failed", { request: `${method} ${pathOf(target)}`, code: problem.code, problem: told });
      // Nobody must take a part for the whole.
      if (response.headersSent) response.destroy();
      else send(response, problemReply(problem));
    }
  }

  async #install(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    request.resume();
    const query = new URL(request.url ?? "/", "http://face").searchParams;
    const authorization = request.headers.authorization ?? (await this.#keyFor(request));
    const trace = traceOf(request.headers.traceparent) ?? this.#components.newTrace();
    const registered = await this.#installer.install({ query, authorization, trace, signal });
    send(response, registeredReply(registered));
  }

  async #pass({ method, target, request, response, signal }: Passed): Promise<void> {
    const rawHeaders = [...request.rawHeaders];
    const authorization = await this.#keyFor(request);
    if (authorization !== undefined) rawHeaders.push("Authorization", authorization);
    const reply = await this.#api.send({ method, target, rawHeaders, body: request, signal });
    response.sendDate = false;
    response.writeHead(reply.statusCode ?? 502, reply.statusMessage, reply.rawHeaders);
    await pipeline(reply, response);
  }

  /** TorchServe's key for a request that has none of its own. Not for those a web page had a browser make: it may be
   *  anybody's. */
  async #keyFor({ headers }: IncomingMessage): Promise<string | undefined> {
    if (headers.authorization !== undefined || headers.origin !== undefined) return undefined;
    return await this.#key?.authorization();
  }
}

interface Passed {
  readonly method: string;
  readonly target: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

const INSTALL = /^\/dragonfly\/models\/?(?:\?|$)/;
/** TorchServe draws a key in a moment. */
const RENEWAL_MS = 10_000;

function send(response: ServerResponse, { status, rawHeaders, body }: StatusReply): void {
  response.writeHead(status, [...rawHeaders]);
  response.end(body);
}

/** The trace of a `traceparent` of the W3C, which other tools made. */
function traceOf(header: unknown): string | undefined {
  return /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(String(header))?.[1];
}

/** Queries may hold what is nobody's business. */
function pathOf(target: string): string {
  return target.replace(/\?.*$/s, "");
}
