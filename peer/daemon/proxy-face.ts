/** The proxy of a running peer. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { ProblemError } from "../../schema/problem.ts";
import { isLoopback, type ListenAddress } from "../../schema/settings.ts";
import { DEFAULT_PROXY_LISTEN } from "../config/proxy-settings.ts";
import type { ForwardProxy } from "../proxy/forward-proxy.ts";
import type { ProxySettings } from "../proxy/proxy-settings.ts";
import { type ProxyServer, serveProxy } from "../runtime/proxy-server.ts";
import { createProxy, type ProxyParts } from "./create-proxy.ts";
import { ownProxyVariables } from "./own-proxy-variables.ts";

export interface ProxyFaceComponents extends ProxyParts {
  /** `undefined`: where people expect it, when nobody else listens there. */
  readonly listen: ListenAddress | "off" | undefined;
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
export function isLocal(host: string, listens: string): boolean {
  if (host === listens || isLoopback(host) || host === "0.0.0.0" || host === "::") return true;
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === host));
}
