/** The proxy of a peer: decides what becomes of each request, and has it done. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Digest } from "../../schema/digest.ts";
import type { Log } from "../../schema/log.ts";
import { type DragonflyOptions, dragonflyOptions, isDragonflyHeader } from "./dragonfly-headers.ts";
import { type HeaderList, headerListOf, headerValue, withoutHeaders } from "./header-list.ts";
import type { Interceptor } from "./interceptor.ts";
import type { PassThrough } from "./pass-through.ts";
import { authenticateClient } from "./proxy-authentication.ts";
import { ProxyRefusal, refusalOf } from "./proxy-refusal.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { refuseTunnel, sendRefusal } from "./refusal-replies.ts";
import { type RegistryAnswers, registryPing } from "./registry-answers.ts";
import { blobDigest, type RegistryTarget, registryTarget } from "./registry-target.ts";
import type { RequestRate } from "./request-rate.ts";
import { parseAuthority, parseTarget, type RequestTarget, targetAt } from "./request-target.ts";
import { requestObstacle } from "./sharing.ts";
import type { TaskAnswers } from "./task-answers.ts";
import { tunnel } from "./tunnel.ts";
import type { UpstreamAccess } from "./upstream-access.ts";
import { ruledUrl, ruleFor, type UrlRule } from "./url-rules.ts";

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

/** What is to be done with one request. */
interface Plan {
  readonly target: RequestTarget;
  readonly headers: HeaderList;
  readonly options: DragonflyOptions;
  readonly rule: UrlRule | undefined;
  readonly digest: Digest | undefined;
  readonly shared: boolean;
  /** Set for requests that were sent to us as if we were a registry. */
  readonly registry: RegistryTarget | undefined;
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
      this.#admitClient(headerListOf(incoming.rawHeaders));
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
    // What comes through a tunnel was let in with the tunnel.
    if (origin === undefined) this.#admitClient(all);
    // Taken apart by chunks alone, what is inside would go on as if it were plain.
    if (!/^(?:chunked)?$/i.test(headerValue(all, "transfer-encoding")?.trim() ?? "")) {
      throw new ProxyRefusal(501, "proxy", "Bodies may be sent in chunks, and in no other transfer encoding");
    }
    const plan = await this.#plan(incoming, all, origin);
    if (plan === "ping") return registryPing(incoming, outgoing);
    const { target, options, rule, digest, shared } = plan;
    const headers = plan.registry === undefined ? plan.headers : registry.withToken(plan.headers, target);
    const method = incoming.method ?? "GET";
    let obstacle = shared ? requestObstacle({ method, headers, ...target }) : "no rule matches";
    if (obstacle === undefined) {
      const settings = this.#components.settings();
      const prefetch = options.prefetch ?? settings.prefetch;
      const call = { url: target.url, headers, options, rule, digest, settings, via, prefetch, outgoing };
      obstacle = await this.#components.tasks.answer({ ...call, method: method === "HEAD" ? "HEAD" : "GET" });
      if (obstacle === undefined) return;
    }
    const passed = { method, target, headers: plan.headers, namesErrors: shared };
    if (plan.registry === undefined) await passThrough.relay(passed, incoming, outgoing);
    else await registry.relay(passed, incoming, outgoing);
  }

  #admitClient(headers: HeaderList): void {
    authenticateClient(headers, this.#components.settings().users);
    const { via } = this.#components;
    if (
      headerValue(headers, "via")
        ?.split(",")
        .some((hop) => hop.trim().split(/\s+/)[1] === via)
    ) {
      throw new ProxyRefusal(508, "proxy", "The request came through this proxy before: it would go round in circles");
    }
  }

  async #plan(incoming: IncomingMessage, all: HeaderList, origin: string | undefined): Promise<Plan | "ping"> {
    const settings = this.#components.settings();
    const options = dragonflyOptions(all);
    const headers = withoutHeaders(all, isDragonflyHeader);
    const parsed = parseTarget(incoming.url ?? "/");
    if (parsed.kind === "origin" && origin === undefined) {
      const found = registryTarget(parsed.rawPath, options.registry, settings);
      if ("kind" in found) return "ping";
      const { target, upstream } = found;
      const rule = await ruleFor(target.url, settings.rules);
      const digest = options.byDigest ? found.digest : undefined;
      const shared =
        !upstream.direct &&
        rule?.direct !== true &&
        (found.digest !== undefined || rule !== undefined || options.usePeers);
      return { target, headers, options, rule, digest, shared, registry: found };
    }
    const asked = parsed.kind === "absolute" ? parsed.target : targetAt(origin ?? "", parsed.rawPath);
    const rule = await ruleFor(asked.url, settings.rules);
    const target = rule === undefined ? asked : { url: ruledUrl(asked.url, rule), rawPath: asked.rawPath };
    const shared = options.usePeers || (rule !== undefined && !rule.direct);
    const digest = shared && options.byDigest ? blobDigest(target.url.pathname) : undefined;
    return { target, headers, options, rule, digest, shared, registry: undefined };
  }

  #tell({ status, message }: ProxyRefusal, method: string | undefined): void {
    this.#components.log("info", "proxy.refused", { method, status, message });
  }
}
