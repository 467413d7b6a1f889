/** Which servers the proxy may be sent to. */
import { lookup } from "node:dns/promises";
import { type BlockList, isIP } from "node:net";
import { LRUCache } from "lru-cache";
import { isAmong, isGuarded, networksOf } from "../source/address-guard.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import type { Authority } from "./request-target.ts";

/** Entries are host names, `*.example.com` for all below a name, addresses, or networks (`10.0.0.0/8`). */
export interface UpstreamPolicy {
  /** May be reached although they are loopback, link-local or a metadata service. */
  readonly allow: readonly string[];
  /** Where it is not empty, nothing else may be reached. */
  readonly only: readonly string[];
  /** Must not be reached. */
  readonly deny: readonly string[];
  /** Where it is not empty, no other port may be reached. */
  readonly ports: readonly number[];
}

export interface UpstreamAccessComponents {
  /** Read at every request, since it can change. */
  readonly policy: () => UpstreamPolicy;
  /** Whether a connection to there would come back to this proxy. */
  readonly isSelf: (address: string, port: number) => boolean;
  /** The resolver of the system by default. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
}

const MAX_NAMES = 1024;
/** Names are looked up anew after this long; a resolver of the system remembers nothing. */
const NAME_TTL_MS = 5000;

export class UpstreamAccess {
  readonly #components: UpstreamAccessComponents;
  readonly #networks = new WeakMap<readonly string[], BlockList>();
  readonly #names: LRUCache<string, readonly string[]>;

  constructor(components: UpstreamAccessComponents) {
    this.#components = components;
    const resolve = components.resolve ?? resolveBySystem;
    this.#names = new LRUCache<string, readonly string[]>({
      max: MAX_NAMES,
      ttl: NAME_TTL_MS,
      fetchMethod: async (hostname) => await resolve(hostname),
    });
  }

  /** Addresses that may be connected to; they and no others, so that a name cannot mean something else a moment later.
   *  @throws ProxyRefusal 403 when it must not be reached, 502 when its name is unknown, 508 when it is this proxy */
  async admit({ hostname, port }: Authority): Promise<readonly string[]> {
    const policy = this.#components.policy();
    const refuse = (why: string) => {
      throw new ProxyRefusal(403, "proxy", `This proxy does not go to ${hostname}:${port}: ${why}`);
    };
    if (policy.ports.length > 0 && !policy.ports.includes(port)) refuse("the port is not among proxy.upstreams.ports");
    const addresses = await this.#addressesOf(hostname);
    const isIn = (entries: readonly string[], address: string) =>
      entries.some((entry) => namesHost(entry, hostname)) || isAmong(address, this.#networksOf(entries));
    for (const address of addresses) {
      if (isIn(policy.deny, address)) refuse("it is among proxy.upstreams.deny");
      if (policy.only.length > 0 && !isIn(policy.only, address)) refuse("it is not among proxy.upstreams.only");
      if (this.#components.isSelf(address, port)) {
        throw new ProxyRefusal(
          508,
          "proxy",
          `${hostname}:${port} is this proxy itself: a request to it would go round in circles`,
        );
      }
      if (isGuarded(address) && !isIn(policy.allow, address)) {
        refuse(
          "it is an address of the machine itself, of its link, or of its cloud. Add it to proxy.upstreams.allow if that is meant",
        );
      }
    }
    return addresses;
  }

  /** Of lists that change only with the settings. */
  #networksOf(entries: readonly string[]): BlockList {
    const known = this.#networks.get(entries);
    if (known !== undefined) return known;
    const networks = networksOf(entries);
    this.#networks.set(entries, networks);
    return networks;
  }

  async #addressesOf(hostname: string): Promise<readonly string[]> {
    if (isIP(hostname) !== 0) return [hostname];
    const addresses = await this.#names.fetch(hostname).catch(() => undefined);
    if (addresses !== undefined && addresses.length > 0) return addresses;
    throw new ProxyRefusal(502, "backend", `The host ${hostname} is unknown: check its name`);
  }
}

function namesHost(entry: string, hostname: string): boolean {
  return entry.startsWith("*.") ? hostname.endsWith(entry.slice(1)) : entry === hostname;
}

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
