/** Under which origin other peers reach this one. */
import { isIPv6 } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import type { ListenAddress } from "../../schema/settings.ts";

/** Either a whole origin, as it was given, or a host whose port is known once the server listens. */
export type Advertised =
  | { readonly kind: "origin"; readonly origin: string }
  | { readonly kind: "host"; readonly host: string };

export type NetworkInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** The origin to announce, such as `http://10.0.0.7:65002`.
 *  @param port the one the piece server got, which differs from the setting when that is 0 */
export function advertisedOrigin(advertised: Advertised, port: number): string {
  if (advertised.kind === "origin") return advertised.origin;
  return `http://${isIPv6(advertised.host) ? `[${advertised.host}]` : advertised.host}:${port}`;
}

/** What to advertise when nothing was given: the listening host itself, or, when that is every interface, the first
 *  address of this machine that is neither internal nor link-local; `undefined` when it has none. IPv4 comes first
 *  unless only IPv6 exists, since `[::]` takes both. */
export function deriveAdvertised(listen: ListenAddress, interfaces: NetworkInterfaces): Advertised | undefined {
  if (!isEveryInterface(listen.hostname)) return { kind: "host", host: listen.hostname };
  const usable = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && !/^(169\.254\.|fe[89ab])/i.test(address.address));
  const families = listen.hostname === "0.0.0.0" ? ["IPv4"] : ["IPv4", "IPv6"];
  for (const family of families) {
    const found = usable.find((address) => address.family === family);
    if (found !== undefined) return { kind: "host", host: found.address };
  }
  return undefined;
}

export function isEveryInterface(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
