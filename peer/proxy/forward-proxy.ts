/** The proxy of a peer: decides what becomes of each request, and has it done. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Log } from "../../schema/log.ts";
import { displayUrl } from "../../schema/source-location.ts";
import { type HeaderList, headerListOf, headerValue } from "./header-list.ts";
import type { Interceptor } from "./interceptor.ts";
import type { PassThrough } from "./pass-through.ts";
import { authenticateClient } from "./proxy-authentication.ts";
import { ProxyRefusal, refusalOf } from "./proxy-refusal.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { refuseTunnel, sendRefusal } from "./refusal-replies.ts";
import { type RegistryAnswers, registryPing } from "./registry-answers.ts";
import { planOf } from "./request-plan.ts";
import type { RequestRate } from "./request-rate.ts";
import { parseAuthority } from "./request-target.ts";
import { requestObstacle } from "./sharing.ts";
import type { TaskAnswers } from "./task-answers.ts";
import { tunnel } from "./tunnel.ts";
import type { UpstreamAccess } from "./upstream-access.ts";

export interface ForwardProxyComponents {
  /** Read at every request, since it can change. */
  readonly settings: () => ProxySettings;
  readonly access: UpstreamAccess;
  readonly rate: RequestRate;
  readonly tasks: TaskAnswers;
  readonly passThrough: PassThrough;
  readonly registry: RegistryAnswers;
  readonly interceptor: Interceptor;
  /** What names this proxy in `Via`. */
  readonly via: string;
  readonly log: Log;
}

export class ForwardProxy {
  readonly #components: ForwardProxyComponents;

  constructor(components: ForwardProxyComponents) {
    this.#components = components;
    components.interceptor.serve((origin, incoming, outgoing) => this.answer(incoming, outgoing, origin));
  }

  /** Answers one request, whatever it is; never rejects. @param origin where it was sent, when it came through a tunnel */
  async answer(incoming: IncomingMessage, outgoing: ServerResponse, origin?: string): Promise<void> {
    outgoing.on("error", () => undefined);
    try {
      await this.#answer(incoming, outgoing, origin);
    } catch (error) {
      if (outgoing.destroyed) return;
      const refusal = refusalOf(error);
      if (refusal.status >= 500) this.#tell(refusal, incoming.method);
      if (outgoing.headersSent) outgoing.destroy();
      else sendRefusal(refusal, incoming, outgoing);
    }
  }

  /** Answers CONNECT; never rejects. @param head what the client sent after it already */
  async connect(incoming: IncomingMessage, client: Duplex, head: Uint8Array): Promise<void> {
    const { rate, access, interceptor } = this.#components;
    client.on("error", () => client.destroy());
    try {
      rate.take();
      const headers = headerListOf(incoming.rawHeaders);
      refuseBroken(incoming, headers);
      this.#refuseCircle(headers);
      authenticateClient(headers, this.#components.settings().users);
      const authority = parseAuthority(incoming.url ?? "");
      const addresses = await access.admit(authority);
      if (await interceptor.takes(authority)) await interceptor.accept(client, head, authority);
      else await tunnel(client, head, authority, addresses);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.status >= 500) this.#tell(refusal, "CONNECT");
      refuseTunnel(refusal, client);
    }
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse, origin: string | undefined): Promise<void> {
    const { rate, passThrough, registry, via } = this.#components;
    rate.take();
    const all = headerListOf(incoming.rawHeaders);
    refuseBroken(incoming, all);
    this.#refuseCircle(all);
    // What comes through a tunnel was let in with the tunnel.
    if (origin === undefined) authenticateClient(all, this.#components.settings().users);
    const plan = await planOf(incoming, all, origin, this.#components.settings());
    if (plan === "ping") return registryPing(incoming, outgoing);
    const { target, options, rule, digest, shared } = plan;
    const headers = plan.registry === undefined ? plan.headers : registry.withToken(plan.headers, target);
    const method = incoming.method ?? "GET";
    let obstacle = shared ? requestObstacle({ method, headers, ...target }) : undefined;
    if (shared && obstacle === undefined) {
      const settings = this.#components.settings();
      const prefetch = options.prefetch ?? settings.prefetch;
      const call = { url: target.url, headers, options, rule, digest, settings, via, prefetch, outgoing };
      obstacle = await this.#components.tasks.answer({ ...call, method: method === "HEAD" ? "HEAD" : "GET" });
      if (obstacle === undefined) return;
    }
    if (obstacle !== undefined) {
      this.#components.log("debug", "proxy.straight-through", { url: displayUrl(target.url), reason: obstacle });
    }
    const passed = { method, target, headers: plan.headers, namesErrors: shared };
    if (plan.registry === undefined) await passThrough.relay(passed, incoming, outgoing);
    else await registry.relay(passed, incoming, outgoing);
  }

  #refuseCircle(headers: HeaderList): void {
    const { via } = this.#components;
    const hops = headerValue(headers, "via")?.split(",") ?? [];
    if (hops.some((hop) => hop.trim().split(/\s+/)[1] === via)) {
      throw new ProxyRefusal(508, "proxy", "The request came through this proxy before: it would go round in circles");
    }
  }

  #tell({ status, message }: ProxyRefusal, method: string | undefined): void {
    this.#components.log("info", "proxy.refused", { method, status, message });
  }
}

/** What would be taken for something else further on. @throws ProxyRefusal 400, 501 */
function refuseBroken({ httpVersion }: IncomingMessage, headers: HeaderList): void {
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host").length;
  if (hosts > 1 || (hosts === 0 && httpVersion !== "1.0")) {
    throw new ProxyRefusal(400, "proxy", `The request has ${hosts} headers Host: HTTP/1.1 wants one`);
  }
  // Taken apart by chunks alone, what is inside would go on as if it were plain.
  if (!/^(?:chunked)?$/i.test(headerValue(headers, "transfer-encoding")?.trim() ?? "")) {
    throw new ProxyRefusal(501, "proxy", "Bodies may be sent in chunks, and in no other transfer encoding");
  }
}
