/** Connections to addresses that were admitted. */
import { isIP, type LookupFunction } from "node:net";

/** A resolver for `node:net` and `node:http` that knows these addresses and no others. */
export function lookupOf(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, done) => {
    const [first] = found;
    if (first === undefined) done(new Error("no address was admitted"), "", 4);
    else if (options.all) done(null, found);
    else done(null, first.address, first.family);
  };
}

/** What went wrong with a connection, in words. */
export function connectFault(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code).slice(0, 100) : "";
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (/CERT|VERIFY|SIGNATURE/i.test(code)) return `its certificate cannot be trusted (${code})`;
  return code === "" ? "the connection failed" : `the connection failed (${code})`;
}
