/** TLS interception: for hosts the settings name, the tunnel ends here, under a certificate of this peer's own authority. */
import { once } from "node:events";
import { chmod, mkdir, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { LRUCache } from "lru-cache";
import type { Log } from "../../schema/log.ts";
import { type AuthorityFiles, authorityStamp, readAuthority } from "./authority-files.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import type { InterceptedHosts } from "./proxy-settings.ts";
import type { Authority } from "./request-target.ts";
import { CONNECTED, join as joinStreams } from "./tunnel.ts";
import { matching } from "./url-rules.ts";

export interface InterceptorComponents {
  /** Read at every CONNECT, since it can change. */
  readonly hosts: () => readonly InterceptedHosts[];
  readonly authority: () => AuthorityFiles;
  /** Folder of its own, that nobody else may open: its sockets let past the proxy's door. */
  readonly folder: string;
  readonly nowMs: () => number;
  readonly log: Log;
}

type Answer = (origin: string, incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/** Servers kept, one for each host and port; the one that was idle longest goes first. */
const MAX_SERVERS = 256;
/** A certificate is made anew long before it ends. */
const SERVER_LIFE_MS = 7 * 86_400_000;
const MAX_HEADER_BYTES = 64 * 1024;

interface Inside {
  readonly server: Server;
  readonly path: string;
}

/** `https.createServer` of Bun 1.4.5 never asks which certificate a client wants, and takes no socket of ours: so each
 *  host has a server of its own, on a unix socket that the tunnel leads to. */
export class Interceptor {
  readonly #components: InterceptorComponents;
  readonly #servers: LRUCache<string, Inside, Authority>;
  #answer: Answer | undefined;
  #count = 0;
  /** Of the authority that signed for the servers that are kept. */
  #stamp = "";

  constructor(components: InterceptorComponents) {
    this.#components = components;
    this.#servers = new LRUCache<string, Inside, Authority>({
      max: MAX_SERVERS,
      ttl: SERVER_LIFE_MS,
      fetchMethod: async (_key, _stale, { context }) => await this.#open(context),
      dispose: ({ server, path }) => {
        // Connections under way go on.
        server.close();
        void rm(path, { force: true });
      },
    });
  }

  /** Says who answers what comes through. */
  serve(answer: Answer): void {
    this.#answer = answer;
  }

  /** Whether tunnels to there end here. */
  async takes({ hostname }: Authority): Promise<boolean> {
    return (await matching(hostname, this.#components.hosts())) !== undefined;
  }

  /** @throws ProxyRefusal 502 without an authority */
  async accept(client: Duplex, head: Uint8Array, authority: Authority): Promise<void> {
    const stamp = await authorityStamp(this.#components.authority());
    if (stamp !== this.#stamp) {
      // Clients are told to trust another one now.
      this.#stamp = stamp;
      this.#servers.clear();
    }
    const key = `${authority.hostname}:${authority.port}`;
    const inside = await this.#servers.fetch(key, { context: authority });
    if (inside === undefined) throw new ProxyRefusal(502, "dfdaemon", "No certificate could be made");
    const server = connect(inside.path);
    await once(server, "connect");
    client.write(CONNECTED);
    await joinStreams(client, head, server);
  }

  async close(): Promise<void> {
    for (const { server } of this.#servers.values()) server.closeAllConnections();
    this.#servers.clear();
    await rm(this.#components.folder, { recursive: true, force: true });
  }

  async #open({ hostname, port }: Authority): Promise<Inside> {
    const { authority, folder, nowMs, log } = this.#components;
    const signer = await readAuthority(authority());
    const { certificate, key } = await signer.certify(hostname, nowMs());
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const path = join(folder, `${++this.#count}.sock`);
    await rm(path, { force: true });
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const origin = `https://${host}${port === 443 ? "" : `:${port}`}`;
    const limits = { maxHeaderSize: MAX_HEADER_BYTES, minVersion: "TLSv1.2", requireHostHeader: false } as const;
    const options = { key, cert: certificate, ...limits };
    const server = createServer(options, (incoming, outgoing) => void this.#answer?.(origin, incoming, outgoing));
    server.on("tlsClientError", () => undefined);
    server.listen(path);
    await once(server, "listening");
    log("info", "proxy.intercepting", { host: hostname });
    return { server, path };
  }
}
