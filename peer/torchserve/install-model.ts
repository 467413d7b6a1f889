/** One `POST /dragonfly/models`: the archive comes peer to peer into the model store, and TorchServe registers it. */
import { join } from "node:path";
import type { Log } from "../../schema/log.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import { type FetchOptions, fetchFile } from "../cli/fetch-file.ts";
import type { GetResult } from "../cli/get-download.ts";
import type { LocalClient } from "../cli/local-client.ts";
import type { ModelServer } from "../serving/model-server.ts";
import { Turns } from "../store/turns.ts";
import { ArchiveBefore } from "./archive-before.ts";
import { archiveNameOf } from "./archive-name.ts";
import { type Registered, register } from "./register.ts";

export interface ModelInstallerComponents {
  readonly modelStore: string;
  readonly api: ModelServer;
  /** What opens an object of the bucket; read at every request, since keys change. */
  readonly objectRequest: (key: string) => Promise<SourceRequest>;
  /** The peer on this machine. */
  readonly client: (signal: AbortSignal) => Pick<LocalClient, "get">;
  readonly umask: number;
  readonly randomSuffix: () => string;
  readonly nowMs: () => number;
  readonly log: Log;
}

export interface InstallRequest {
  /** Of the request: `file_name`, and what TorchServe's own registration takes. */
  readonly query: URLSearchParams;
  /** For TorchServe; absent where it demands no tokens. */
  readonly authorization: string | undefined;
  /** 32 hex digits that name the request in all logs. */
  readonly trace: string;
  readonly signal: AbortSignal;
}

export class ModelInstaller {
  readonly #components: ModelInstallerComponents;
  /** By name in the model store: two objects of one name must not become one model. */
  readonly #turns = new Turns();

  constructor(components: ModelInstallerComponents) {
    this.#components = components;
  }

  /** @throws ProblemError what the request lacks, what the peer failed with, or that TorchServe is away; then the model
   *  store is as before */
  async install(asked: InstallRequest): Promise<Registered> {
    const { key, parameters } = readQuery(asked.query);
    const archive = archiveNameOf(key);
    return await this.#turns.run(archive, async () => {
      asked.signal.throwIfAborted();
      return await this.#fetchAndRegister(key, archive, parameters, asked);
    });
  }

  async #fetchAndRegister(
    key: string,
    archive: string,
    parameters: URLSearchParams,
    { authorization, trace, signal }: InstallRequest,
  ): Promise<Registered> {
    const { modelStore, api, log } = this.#components;
    const path = join(modelStore, archive);
    const fetchOptions = this.#fetchOptions(signal);
    await using before = await ArchiveBefore.keep(path, fetchOptions);
    const fetched = await this.#fetch(key, path, trace, fetchOptions);
    let registered: Registered | undefined;
    try {
      registered = await register(api, { archive, parameters, authorization, signal });
    } finally {
      // Who went away in the middle does not stop TorchServe: it may be serving the archive in a moment.
      const refused = registered === undefined ? !signal.aborted : registered.status >= 400;
      if (refused) await before.comeBack({ isServed: registered?.status === 409 });
    }
    const { taskId: task, elapsedMs, sourceBytes, peerBytes, localBytes, delivery } = fetched;
    const { status } = registered;
    const counts = { sourceBytes, peerBytes, localBytes };
    log("info", "torchserve.model", { file: key, status, task, cost: `${elapsedMs}ms`, ...counts, delivery, trace });
    return registered;
  }

  async #fetch(key: string, path: string, trace: string, options: FetchOptions): Promise<GetResult> {
    const { objectRequest, client } = this.#components;
    const request = { source: await objectRequest(key), component: "torchserve", trace };
    return await fetchFile(client(options.signal), request, path, options);
  }

  #fetchOptions(signal: AbortSignal): FetchOptions {
    const { umask, randomSuffix, nowMs } = this.#components;
    return { overwrite: true, forceHardLink: false, suffix: randomSuffix(), umask, signal, nowMs };
  }
}

function readQuery(query: URLSearchParams): { readonly key: string; readonly parameters: URLSearchParams } {
  const names = query.getAll("file_name");
  const [key] = names;
  if (key === undefined || names.length > 1) {
    const what = key === undefined ? "is missing in the query" : "is given twice";
    throw new ProblemError(
      "bad-request",
      `file_name ${what}. Name one object of the bucket: ?file_name=squeezenet1_1.mar`,
    );
  }
  if (query.has("url")) {
    const message =
      "url cannot be given here. Name an object of the bucket with file_name, or ask POST /models with a url";
    throw new ProblemError("bad-request", message);
  }
  const parameters = new URLSearchParams(query);
  parameters.delete("file_name");
  return { key, parameters };
}
