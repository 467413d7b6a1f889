/** What is to be done with one request: where it leads, and whether a task may answer it. */
import type { IncomingMessage } from "node:http";
import type { Digest } from "../../schema/digest.ts";
import { type DragonflyOptions, dragonflyOptions, isDragonflyHeader } from "./dragonfly-headers.ts";
import { type HeaderList, withoutHeaders } from "./header-list.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { blobDigest, type RegistryTarget, registryTarget } from "./registry-target.ts";
import { parseTarget, type RequestTarget, targetAt } from "./request-target.ts";
import { ruledUrl, ruleFor, type UrlRule } from "./url-rules.ts";

export interface RequestPlan {
  readonly target: RequestTarget;
  /** Without those that were meant for this proxy. */
  readonly headers: HeaderList;
  readonly options: DragonflyOptions;
  readonly rule: UrlRule | undefined;
  /** What the content is named by, in a registry. */
  readonly digest: Digest | undefined;
  /** A rule, a header or a registry would have it answered by a task. */
  readonly shared: boolean;
  /** Set for requests that were sent to us as if we were a registry. */
  readonly registry: RegistryTarget | undefined;
}

/** `ping`: a client asks whether there is a registry here.
 *  @param all every header @param origin where it was sent, when it came through a tunnel @throws ProxyRefusal */
export async function planOf(
  { url }: Pick<IncomingMessage, "url">,
  all: HeaderList,
  origin: string | undefined,
  settings: ProxySettings,
): Promise<RequestPlan | "ping"> {
  const options = dragonflyOptions(all);
  const headers = withoutHeaders(all, isDragonflyHeader);
  const parsed = parseTarget(url ?? "/");
  if (parsed.kind === "origin" && origin === undefined) {
    const found = registryTarget(parsed.rawPath, options.registry, settings);
    if ("kind" in found) return "ping";
    const { target, upstream } = found;
    const rule = await ruleFor(target.url, settings.rules);
    const digest = options.byDigest ? found.digest : undefined;
    const isMeant = found.digest !== undefined || rule !== undefined || options.usePeers;
    const shared = isMeant && !upstream.direct && rule?.direct !== true;
    return { target, headers, options, rule, digest, shared, registry: found };
  }
  const asked = parsed.kind === "absolute" ? parsed.target : targetAt(origin ?? "", parsed.rawPath);
  const rule = await ruleFor(asked.url, settings.rules);
  const target = rule === undefined ? asked : { url: ruledUrl(asked.url, rule), rawPath: asked.rawPath };
  const shared = options.usePeers || (rule !== undefined && !rule.direct);
  const digest = shared && options.byDigest ? blobDigest(target.url.pathname) : undefined;
  return { target, headers, options, rule, digest, shared, registry: undefined };
}
