/** Keeps a peer that reads on behalf of others from being led into its own machine: an address that a seed is told may
 *  be one that only the seed can reach, such as its own ports or the metadata service of its cloud. */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { ProblemError } from "../../schema/problem.ts";

export interface PullPolicy {
  /** Host names, addresses and networks (`10.1.2.0/24`) that may be pulled from although they are guarded. */
  readonly allow: readonly string[];
  /** Replaces the resolver of the system. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
}

const GUARDED: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 4],
  ["255.255.255.255", 32],
  // Metadata services outside the link-local range: Alibaba, Oracle, Azure.
  ["100.100.100.200", 32],
  ["192.0.0.192", 32],
  ["168.63.129.16", 32],
  ["::", 128],
  ["::1", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  ["fd00:ec2::", 32],
];

const guarded = new BlockList();
for (const [network, prefix] of GUARDED) guarded.addSubnet(network, prefix, familyOf(network));
// IPv4 inside of IPv6, which a router in between takes out: NAT64 of a site's own, 6to4, Teredo, the translated and the
// deprecated compatible form. BlockList sees through the mapped one, and `carriedAddress` through NAT64 for everybody.
guarded.addSubnet("64:ff9b:1::", 48, "ipv6");
guarded.addSubnet("2002::", 16, "ipv6");
guarded.addSubnet("2001::", 32, "ipv6");
guarded.addSubnet("::ffff:0:0:0", 96, "ipv6");
guarded.addSubnet("::", 96, "ipv6");

/** Looks the host of `url` up and refuses it when any of its addresses is loopback, link-local, unspecified, multicast
 *  or a metadata service, unless the host or that address is allowed.
 *  @returns its addresses, see `SourceGuard`; `undefined` for a host that is allowed by its name
 *  @throws ProblemError `forbidden` naming the setting that allows it, `source-unreachable` when the name is unknown. */
export async function checkPullAddress(url: URL, policy: PullPolicy): Promise<readonly string[] | undefined> {
  const hostname = url.hostname
    .replaceAll(/^\[|\]$/g, "")
    .toLowerCase()
    .replace(/\.$/, "");
  if (policy.allow.some((entry) => entry.toLowerCase() === hostname)) return undefined;
  const allowed = networksOf(policy.allow);
  const resolve = policy.resolve ?? resolveBySystem;
  const addresses = isIP(hostname) === 0 ? await resolved(hostname, resolve) : [hostname];
  for (const address of addresses) {
    if (!isGuarded(address) || isAmong(address, allowed)) continue;
    const where = address === hostname ? hostname : `${hostname} (${address})`;
    throw new ProblemError(
      "forbidden",
      `This peer does not read from ${where} on behalf of others: it is an address of the machine itself, of its link, or of its cloud. Add it to --pull-allow if that is meant`,
      { detail: { hostname, address } },
    );
  }
  return addresses;
}

/** Whether an address is one of the machine itself, of its link, or of its cloud. */
export function isGuarded(address: string): boolean {
  return isAmong(address, guarded);
}

/** Whether an address, or the one it carries, lies in one of the networks. */
export function isAmong(address: string, networks: BlockList): boolean {
  if (networks.check(address, familyOf(address))) return true;
  const carried = carriedAddress(address);
  return carried !== undefined && networks.check(carried, "ipv4");
}

/** The IPv4 address that a NAT64 router connects to (RFC 6052, 64:ff9b::/96). Where that is all there is, every server of
 *  the IPv4 internet has such an address. */
function carriedAddress(address: string): string | undefined {
  if (!/^64:ff9b:/i.test(address)) return undefined;
  const shortest = URL.parse(`http://[${address}]`)?.hostname ?? "";
  const found = /^\[64:ff9b::(?:(?:([0-9a-f]+):)?([0-9a-f]+))?\]$/.exec(shortest);
  if (found === null) return undefined;
  const [, high = "0", low = "0"] = found;
  const bits = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join(".");
}

/** The addresses and networks among `entries`; names are left out. */
export function networksOf(entries: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const entry of entries) {
    const [address = "", prefix] = entry.split("/");
    if (isIP(address) === 0) continue;
    if (prefix === undefined) networks.addAddress(address, familyOf(address));
    else networks.addSubnet(address, Number(prefix), familyOf(address));
  }
  return networks;
}

async function resolved(
  hostname: string,
  resolve: (hostname: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    return await resolve(hostname);
  } catch {
    throw new ProblemError("source-unreachable", `The host ${hostname} of the source is unknown. Check its name`);
  }
}

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}
