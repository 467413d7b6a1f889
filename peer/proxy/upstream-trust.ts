/** Whom the proxy trusts to be the server it means, where the settings say something about that. */
import { readFileSync } from "node:fs";
import { LRUCache } from "lru-cache";
import type { ProxySettings } from "./proxy-settings.ts";
import type { UpstreamTls } from "./upstream-requests.ts";
import { matching } from "./url-rules.ts";

/** A file that was changed counts after this long. */
const PEM_TTL_MS = 60_000;

export class UpstreamTrust {
  readonly #settings: () => ProxySettings;
  readonly #pems = new LRUCache<string, string>({ max: 256, ttl: PEM_TTL_MS });

  /** `settings` is read at every connection, since it can change. */
  constructor(settings: () => ProxySettings) {
    this.#settings = settings;
  }

  /** `undefined` where the authorities of the system count. @throws Error when a file of authorities cannot be read */
  async tlsOf(url: URL): Promise<UpstreamTls | undefined> {
    if (url.protocol !== "https:") return undefined;
    const { registries, registryMirror, intercept } = this.#settings();
    const said =
      [...registries, registryMirror].find((each) => new URL(each.url).host === url.host) ??
      (await matching(url.hostname, intercept));
    if (said === undefined || (!said.insecure && said.certs.length === 0)) return undefined;
    const { insecure, certs } = said;
    return { insecure, ...(certs.length === 0 ? {} : { ca: certs.map((path) => this.#pem(path)).join("\n") }) };
  }

  #pem(path: string): string {
    const known = this.#pems.get(path);
    if (known !== undefined) return known;
    const pem = readFileSync(path, "utf8");
    this.#pems.set(path, pem);
    return pem;
  }
}
