import { expect, test } from "bun:test";
import type { NetworkInterfaceInfo } from "node:os";
import { advertisedOrigin, deriveAdvertised } from "./advertised.ts";

const base = { netmask: "", mac: "", cidr: null };
const ipv4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  ...base,
  address,
  family: "IPv4",
  internal,
});
const ipv6 = (address: string): NetworkInterfaceInfo => ({
  ...base,
  address,
  family: "IPv6",
  internal: false,
  scopeid: 0,
});

test("deriveAdvertised() gives the listening host when it is one", () => {
  expect(deriveAdvertised({ hostname: "10.0.0.7", port: 1 }, {})).toEqual({ kind: "host", host: "10.0.0.7" });
});

test("deriveAdvertised() gives the first address others can reach when listening on every interface", () => {
  const interfaces = { lo: [ipv4("127.0.0.1", true)], eth0: [ipv6("fe80::1"), ipv6("2001:db8::7"), ipv4("10.0.0.7")] };
  expect(deriveAdvertised({ hostname: "0.0.0.0", port: 1 }, interfaces)).toEqual({ kind: "host", host: "10.0.0.7" });
  expect(deriveAdvertised({ hostname: "::", port: 1 }, { eth0: [ipv6("fe80::1"), ipv6("2001:db8::7")] })).toEqual({
    kind: "host",
    host: "2001:db8::7",
  });
  expect(deriveAdvertised({ hostname: "0.0.0.0", port: 1 }, { eth0: [ipv6("2001:db8::7")] })).toBeUndefined();
});

test("advertisedOrigin() names the port the server got and brackets IPv6", () => {
  expect(advertisedOrigin({ kind: "host", host: "10.0.0.7" }, 4000)).toBe("http://10.0.0.7:4000");
  expect(advertisedOrigin({ kind: "host", host: "2001:db8::7" }, 4000)).toBe("http://[2001:db8::7]:4000");
  expect(advertisedOrigin({ kind: "origin", origin: "https://peer.example.com" }, 4000)).toBe(
    "https://peer.example.com",
  );
});
