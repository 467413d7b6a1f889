/** Names of machines as people write them into a setting. */
import { isIP } from "node:net";

const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** A host name, an IPv4 or IPv6 address (no brackets), or a network such as `10.0.0.0/8`. */
export function isHostOrNetwork(text: string): boolean {
  const [host = "", bits, ...rest] = text.split("/");
  if (rest.length > 0) return false;
  const version = isIP(host);
  // A name made of digits and dots alone is a mistyped address.
  if (bits === undefined) return version !== 0 || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host));
  return version !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}
