/** What a proxy does, and for whom. */
import type { UpstreamPolicy } from "./upstream-access.ts";
import type { UrlRule } from "./url-rules.ts";

/** How a registry is reached that stands behind this proxy. */
export interface RegistryUpstream {
  /** What clients call it: `registry.example:5000`. */
  readonly host: string;
  /** Its base URL, without a slash at the end. */
  readonly url: string;
  readonly insecure: boolean;
  /** PEM files of the authorities that vouch for it; those of the system when there are none. */
  readonly certs: readonly string[];
  /** All of it straight through. */
  readonly direct: boolean;
}

export interface ProxyUser {
  readonly username: string;
  readonly password: string;
}

export interface InterceptedHosts {
  /** Over host names. */
  readonly pattern: string;
  /** The certificate of the source is not looked at. */
  readonly insecure: boolean;
  /** As in `RegistryUpstream`. */
  readonly certs: readonly string[];
}

export interface ProxySettings {
  readonly rules: readonly UrlRule[];
  /** Names of query parameters that do not name the content, besides those of known signatures. */
  readonly filteredQueryParams: readonly string[];
  /** Of tasks whose request names none. */
  readonly tag: string;
  readonly application: string;
  /** Fetch the rest when a part is asked for. */
  readonly prefetch: boolean;
  /** The registry of requests that name none. */
  readonly registryMirror: RegistryUpstream;
  readonly registries: readonly RegistryUpstream[];
  /** Empty: no authentication. */
  readonly users: readonly ProxyUser[];
  readonly upstreams: UpstreamPolicy;
  readonly intercept: readonly InterceptedHosts[];
  /** Files of the authority that signs for them; those of the data folder when absent. */
  readonly authority: { readonly cert: string; readonly key: string } | undefined;
  /** Connections, of clients and through tunnels, at the same time. */
  readonly maxConnections: number;
  /** Requests a second; `undefined` is no limit. */
  readonly requestRate: number | undefined;
  /** PEM files of the listener itself, and of the authority of its clients; plain when absent. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string | undefined } | undefined;
  /** Where to listen, when the flag does not say it. */
  readonly listen: { readonly hostname: string | undefined; readonly port: number | undefined };
  /** Folders that `X-Dragonfly-Output-Path` may name files in. */
  readonly outputFolders: readonly string[];
}
