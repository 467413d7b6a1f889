/** Requests that are sent to the proxy as if it were a registry, and which registry is meant. */
import type { Digest } from "../../schema/digest.ts";
import { parseDigest } from "../../schema/digest.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import type { ProxySettings, RegistryUpstream } from "./proxy-settings.ts";
import { type RequestTarget, targetAt } from "./request-target.ts";

export interface RegistryTarget {
  readonly target: RequestTarget;
  readonly upstream: RegistryUpstream;
  /** What a blob is named by. */
  readonly digest: Digest | undefined;
}

/** A client asks whether a registry is here at all, and does not say which one it will mean. */
export interface RegistryPing {
  readonly kind: "ping";
}

const DOCKER_HUB = /^(?:docker\.io|index\.docker\.io|registry-1\.docker\.io)$/;
const DOCKER_HUB_URL = "https://registry-1.docker.io";
const BLOB = /^\/v2\/.+\/blobs\/(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
/** First part of a path that is a host: no repository is called so. */
const HOST_PART =
  /^\/v2\/((?:[a-z0-9-]+\.)+[a-z0-9-]+(?:[:_]\d{1,5})?|[a-z0-9.-]+:\d{1,5}|localhost(?:[:_]\d{1,5})?)\//i;

/** What stands for a registry in a path: clients take no `:` there, so `_` is before the port. */
export function registryPathPart(host: string): string {
  return host.replace(/:(\d+)$/, "_$1");
}

/** @param rawPath path and query @param named the registry by `X-Dragonfly-Registry`
 *  @throws ProxyRefusal 400, 404 */
export function registryTarget(
  rawPath: string,
  named: string | undefined,
  settings: Pick<ProxySettings, "registryMirror" | "registries">,
): RegistryTarget | RegistryPing {
  const [path = "", query = ""] = splitOnce(rawPath, "?");
  const pairs = query.split("&").filter((pair) => pair !== "");
  const namespace = pairs.find((pair) => pair.startsWith("ns="))?.slice("ns=".length);
  const rest = pairs.filter((pair) => !pair.startsWith("ns="));
  const found = upstreamOf(path, named, namespace === undefined ? undefined : decoded(namespace), settings);
  if (!/^\/v2(?:\/|$)/.test(path) && named === undefined) {
    throw new ProxyRefusal(
      404,
      "proxy",
      "This is the proxy of a Pantala peer: use it as an HTTP proxy, or as a mirror of registries below /v2/",
    );
  }
  if (/^\/v2\/?$/.test(path) && named === undefined && namespace === undefined) return { kind: "ping" };
  const { upstream, path: upstreamPath } = found;
  // A registry may lie below a path of its server.
  const { origin, pathname } = new URL(upstream.url);
  const below = pathname.replace(/\/+$/, "");
  const target = targetAt(origin, `${below}${upstreamPath}${rest.length === 0 ? "" : `?${rest.join("&")}`}`);
  return { target, upstream, digest: blobDigest(upstreamPath) };
}

/** The digest in the path of a blob, which is what it is named by in any registry. */
export function blobDigest(path: string): Digest | undefined {
  return parseDigest(BLOB.exec(path)?.[1] ?? "");
}

function upstreamOf(
  path: string,
  named: string | undefined,
  namespace: string | undefined,
  settings: Pick<ProxySettings, "registryMirror" | "registries">,
): { readonly upstream: RegistryUpstream; readonly path: string } {
  if (named !== undefined) return { upstream: upstreamAt(named, settings), path };
  if (namespace !== undefined && namespace !== "") return { upstream: upstreamAt(namespace, settings), path };
  // Names without a dot may be repositories, too, unless the settings know better.
  const known = settings.registries.find((each) => path.startsWith(`/v2/${registryPathPart(each.host)}/`));
  const part = known === undefined ? HOST_PART.exec(path)?.[1] : registryPathPart(known.host);
  if (part === undefined) return { upstream: settings.registryMirror, path };
  const upstream = known ?? upstreamAt(part.replace(/_(\d+)$/, ":$1"), settings);
  return { upstream, path: `/v2/${path.slice(`/v2/${part}/`.length)}` };
}

/** @param name host, or a base URL */
function upstreamAt(
  name: string,
  { registries, registryMirror }: Pick<ProxySettings, "registryMirror" | "registries">,
) {
  const url = URL.parse(/^https?:\/\//i.test(name) ? name : `https://${name}`);
  if (url === null || url.hostname === "" || url.username !== "" || url.search !== "") {
    throw new ProxyRefusal(
      400,
      "proxy",
      "The name of the registry must be a host, or a base URL such as https://registry.example",
    );
  }
  const known = [...registries, registryMirror].find(({ host }) => host === url.host);
  if (known !== undefined) return known;
  const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  const isHub = DOCKER_HUB.test(url.host);
  return { host: url.host, url: isHub ? DOCKER_HUB_URL : base, insecure: false, certs: [], direct: false };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ProxyRefusal(400, "proxy", "The name of the registry (ns) is no text");
  }
}
