/** The proxy of a running peer. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Log } from "../../schema/log.ts";
import { ProblemError } from "../../schema/problem.ts";
import { isLoopback, type ListenAddress } from "../../schema/settings.ts";
import { DEFAULT_PROXY_LISTEN } from "../config/proxy-settings.ts";
import { authorityFilesIn } from "../proxy/authority-files.ts";
import { ForwardProxy } from "../proxy/forward-proxy.ts";
import { Interceptor } from "../proxy/interceptor.ts";
import { OutputPlaces } from "../proxy/output-places.ts";
import { PassThrough } from "../proxy/pass-through.ts";
import { Prefetches } from "../proxy/prefetches.ts";
import type { ProxySettings } from "../proxy/proxy-settings.ts";
import { RegistryAnswers } from "../proxy/registry-answers.ts";
import { RequestRate } from "../proxy/request-rate.ts";
import { TaskAnswers } from "../proxy/task-answers.ts";
import { UpstreamAccess } from "../proxy/upstream-access.ts";
import type { UpstreamTrust } from "../proxy/upstream-trust.ts";
import { type ProxyServer, serveProxy } from "../runtime/proxy-server.ts";
import type { OpenSource } from "../source/source.ts";
import type { Transfers } from "../transfer/transfers.ts";
import { ownProxyVariables } from "./own-proxy-variables.ts";

export interface ProxyFaceComponents {
  readonly openSource: OpenSource;
  readonly transfers: Transfers;
  readonly trust: UpstreamTrust;
  /** Those of now. */
  readonly settings: () => ProxySettings;
  /** `undefined`: where people expect it, when nobody else listens there. */
  readonly listen: ListenAddress | "off" | undefined;
  readonly dataDir: string;
  /** Of this host. */
  readonly hostId: string;
  readonly serverAddress: string;
  readonly nowMs: () => number;
  /** Never set back. */
  readonly monotonicMs: () => number;
  readonly randomSuffix: () => string;
  /** Variables of this process; those that lead it to its own proxy are taken away. */
  readonly env: Record<string, string | undefined>;
  readonly log: Log;
}

export class ProxyFace implements AsyncDisposable {
  readonly #server: ProxyServer | undefined;
  readonly #hostname: string;
  readonly #settings: () => ProxySettings;
  readonly #owned: AsyncDisposableStack;

  /** @throws ProblemError `in-use`, `conflict` when it cannot listen where it was told to */
  static async start(components: ProxyFaceComponents): Promise<ProxyFace> {
    const { settings, env, log } = components;
    const listen = listenOf(components);
    if (listen === "off") return new ProxyFace(undefined, "", settings, new AsyncDisposableStack());
    await using owned = new AsyncDisposableStack();
    const address = { hostname: listen.hostname, port: listen.port };
    const isSelf = (host: string, port: number) => port === address.port && isLocal(host, address.hostname);
    const proxy = createProxy(components, isSelf, owned);
    const server = await listening(components, listen, proxy);
    if (server === undefined) return new ProxyFace(undefined, "", settings, new AsyncDisposableStack());
    owned.use(server);
    address.port = server.port;
    for (const name of ownProxyVariables(env, isSelf)) {
      delete env[name];
      log("warn", "proxy.own-variable", {
        message: `${name} leads to this peer's own proxy: it is not used for its own reads`,
      });
    }
    log("info", "proxy.ready", { hostname: listen.hostname, port: server.port });
    return new ProxyFace(server, listen.hostname, settings, owned.move());
  }

  private constructor(
    server: ProxyServer | undefined,
    hostname: string,
    settings: () => ProxySettings,
    owned: AsyncDisposableStack,
  ) {
    this.#server = server;
    this.#hostname = hostname;
    this.#settings = settings;
    this.#owned = owned;
  }

  /** `http://host:port`; null when there is none. */
  get url(): string | null {
    if (this.#server === undefined) return null;
    const host = this.#hostname.includes(":") ? `[${this.#hostname}]` : this.#hostname;
    return `${this.#settings().tls === undefined ? "http" : "https"}://${host}:${this.#server.port}`;
  }

  /** The settings changed. */
  follow(): void {
    this.#server?.setMaxConnections(this.#settings().maxConnections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

function listenOf({
  listen,
  settings,
}: ProxyFaceComponents): (ListenAddress & { readonly isDefault: boolean }) | "off" {
  if (listen === "off") return "off";
  if (listen !== undefined) return { ...listen, isDefault: false };
  const { hostname, port } = settings().listen;
  const isDefault = hostname === undefined && port === undefined;
  return { hostname: hostname ?? DEFAULT_PROXY_LISTEN.hostname, port: port ?? DEFAULT_PROXY_LISTEN.port, isDefault };
}

function createProxy(
  components: ProxyFaceComponents,
  isSelf: (host: string, port: number) => boolean,
  owned: AsyncDisposableStack,
): ForwardProxy {
  const { settings, trust, log, hostId, nowMs } = components;
  const via = `pantala-${hostId.slice(0, 12)}`;
  const access = new UpstreamAccess({ policy: () => settings().upstreams, isSelf });
  const passThrough = new PassThrough({ access, tlsOf: (url) => trust.tlsOf(url), via });
  owned.defer(() => passThrough.close());
  const prefetches = new Prefetches(log);
  owned.defer(() => prefetches.close());
  const interceptor = new Interceptor({
    hosts: () => settings().intercept,
    authority: () => {
      const named = settings().authority;
      if (named === undefined) return authorityFilesIn(components.dataDir);
      return { certificatePath: named.cert, keyPath: named.key };
    },
    folder: join(components.dataDir, "proxy-tls"),
    nowMs,
    log,
  });
  owned.defer(() => interceptor.close());
  const outputs = new OutputPlaces({
    folders: () => settings().outputFolders,
    randomSuffix: components.randomSuffix,
  });
  const { openSource, transfers, serverAddress } = components;
  return new ForwardProxy({
    settings,
    access,
    rate: new RequestRate(() => settings().requestRate, components.monotonicMs),
    tasks: new TaskAnswers({ openSource, transfers, access, prefetches, outputs, log, serverAddress }),
    passThrough,
    registry: new RegistryAnswers(passThrough, access),
    interceptor,
    via,
    log,
  });
}

/** `undefined` when somebody else has the address that nobody asked for. */
async function listening(
  { settings, log }: ProxyFaceComponents,
  listen: ListenAddress & { readonly isDefault: boolean },
  proxy: ForwardProxy,
): Promise<ProxyServer | undefined> {
  try {
    return await serveProxy({
      listen,
      tls: await tlsFiles(settings()),
      maxConnections: settings().maxConnections,
      answer: (incoming, outgoing) => proxy.answer(incoming, outgoing),
      connect: (incoming, client, head) => proxy.connect(incoming, client, head),
    });
  } catch (error) {
    if (!listen.isDefault || !(error instanceof ProblemError)) throw error;
    log("warn", "proxy.off", { message: `This peer has no proxy. ${error.message}` });
    return undefined;
  }
}

async function tlsFiles({ tls }: ProxySettings) {
  if (tls === undefined) return undefined;
  try {
    const [cert, key] = await Promise.all([readFile(tls.cert, "utf8"), readFile(tls.key, "utf8")]);
    return { cert, key, ...(tls.ca === undefined ? {} : { ca: await readFile(tls.ca, "utf8") }) };
  } catch (cause) {
    throw new ProblemError(
      "conflict",
      `Cannot read the certificate of the proxy: ${String(cause)}. See proxy.security`,
      {
        cause,
      },
    );
  }
}

/** Whether an address is one of this machine's own, or one that means all of them. */
function isLocal(host: string, listens: string): boolean {
  if (host === listens || isLoopback(host) || host === "0.0.0.0" || host === "::") return true;
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === host));
}
