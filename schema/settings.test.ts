import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import {
  byteSize,
  describeFaults,
  duration,
  flagOf,
  isLoopback,
  listenAddress,
  longDuration,
  onOff,
  resolveSettings,
  type SettingsTable,
  variableOf,
} from "./settings.ts";

const TABLE = {
  pieceLength: { schema: byteSize.default(4), help: "", remedy: "Give a size" },
  tags: { schema: z.array(z.string()).default([]), help: "", remedy: "Give tags", list: true },
  token: {
    schema: z.string().min(8, "is too short").default("unset-token"),
    help: "",
    remedy: "Copy it",
    secret: true,
  },
  verbose: { schema: onOff.default(false), help: "", remedy: "Use true or false" },
  rules: { schema: z.array(z.object({ name: z.string() })).default([]), help: "", remedy: "", only: "file" },
} satisfies SettingsTable;

function resolve(sources: { flags?: object; env?: Record<string, string>; values?: unknown }) {
  const file = "values" in sources ? { name: "pantala.yaml", values: sources.values } : undefined;
  return resolveSettings(TABLE, { flags: { ...sources.flags }, env: sources.env ?? {}, file });
}

function settingsOf(sources: Parameters<typeof resolve>[0]) {
  const resolved = resolve(sources);
  if (resolved.kind === "faults") throw new Error(describeFaults("resolve", resolved.faults));
  return resolved.settings;
}

function faultsOf(sources: Parameters<typeof resolve>[0]) {
  const resolved = resolve(sources);
  return resolved.kind === "faults" ? resolved.faults : [];
}

describe("resolveSettings()", () => {
  test("takes a flag before a variable, a variable before the file, the file before the default", () => {
    const values = { pieceLength: 3 };
    const env = { PANTALA_PIECE_LENGTH: "2" };
    expect(settingsOf({ flags: { pieceLength: "1" }, env, values }).pieceLength).toBe(1);
    expect(settingsOf({ env, values }).pieceLength).toBe(2);
    expect(settingsOf({ values }).pieceLength).toBe(3);
    expect(settingsOf({}).pieceLength).toBe(4);
  });

  test("takes an empty variable as none, and an empty file as no file", () => {
    expect(settingsOf({ env: { PANTALA_PIECE_LENGTH: "" }, values: { pieceLength: 3 } }).pieceLength).toBe(3);
    expect(settingsOf({ values: null }).pieceLength).toBe(4);
  });

  test("splits the variable of a list at commas", () => {
    expect(settingsOf({ env: { PANTALA_TAGS: "a, b,c" } }).tags).toEqual(["a", "b", "c"]);
    expect(settingsOf({ flags: { tags: ["a,b"] } }).tags).toEqual(["a,b"]);
  });

  test("takes what belongs into the file alone from nowhere else", () => {
    expect(
      settingsOf({ env: { PANTALA_RULES: "x" }, flags: { rules: "x" }, values: { rules: [{ name: "a" }] } }).rules,
    ).toEqual([{ name: "a" }]);
  });

  test("reports every fault at once, each with its place, value and remedy", () => {
    const faults = faultsOf({
      flags: { pieceLength: "many" },
      env: { PANTALA_VERBOSE: "perhaps" },
      values: { colour: "red", rules: [{ name: 5 }] },
    });
    expect(faults.map((fault) => [fault.origin, fault.value])).toEqual([
      ["colour in pantala.yaml", "set"],
      ["--piece-length", '"many"'],
      ["PANTALA_VERBOSE", '"perhaps"'],
      ["rules in pantala.yaml", '[{"name":5}]'],
    ]);
    const text = describeFaults("start the peer", faults);
    expect(text).toStartWith("Cannot start the peer: 4 settings are wrong\n");
    expect(text).toContain("  --piece-length: must be a number of bytes");
    expect(text).toContain('current value is "many". Give a size.');
  });

  test("keeps a secret, and the user info and query of URLs, out of faults", () => {
    const env = { PANTALA_PIECE_LENGTH: "http://me:s3cret@host/?key=s3cret" };
    const faults = faultsOf({ flags: { token: "s3cret" }, env });
    expect(faults.map((fault) => fault.origin)).toEqual(["PANTALA_PIECE_LENGTH", "--token"]);
    expect(JSON.stringify(faults) + describeFaults("start", faults)).not.toContain("s3cret");
  });

  test("does not take a list or a text for a file of settings", () => {
    expect(faultsOf({ values: ["a"] })[0]?.problem).toBe("must be a mapping of settings");
    expect(faultsOf({ values: "a" })[0]?.origin).toBe("pantala.yaml");
  });

  test("says where each value came from", () => {
    const { origins } = resolve({ flags: { pieceLength: 1 }, env: { PANTALA_TAGS: "a" }, values: { verbose: true } });
    expect(origins).toMatchObject({
      pieceLength: "--piece-length",
      tags: "PANTALA_TAGS",
      verbose: "verbose in pantala.yaml",
    });
  });
});

test("a setting has the same name as a flag and as a variable", () => {
  expect([flagOf("pieceLength"), variableOf("pieceLength")]).toEqual(["--piece-length", "PANTALA_PIECE_LENGTH"]);
});

test.each([
  ["0", 0],
  [1048576, 1048576],
  ["4MiB", 4 * 1024 ** 2],
  ["4m", 4 * 1024 ** 2],
  ["500MB", 500e6],
  ["1.5 GiB", 1.5 * 1024 ** 3],
  [" 2tb ", 2e12],
  ["10b", 10],
])("byteSize reads %j", (text, bytes) => {
  expect(byteSize.parse(text)).toBe(bytes);
});

test.each([
  "",
  "MiB",
  "-1",
  "1e6",
  "4 potatoes",
  "4constructor",
  "1,5MiB",
  "0x10",
  "99999TiB",
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -5,
])("byteSize refuses %j", (text) => {
  expect(byteSize.safeParse(text).success).toBe(false);
});

test.each([
  ["0", 0],
  [0, 0],
  ["500ms", 500],
  ["30s", 30_000],
  ["1.5 m", 90_000],
  ["2H", 7_200_000],
  ["24d", 24 * 86_400_000],
])("duration reads %j", (text, ms) => {
  expect(duration.parse(text)).toBe(ms);
});

test.each(["", "30", 30, "s", "-1s", "1 week", "25d", "1e9s"])("duration refuses %j", (text) => {
  expect(duration.safeParse(text).success).toBe(false);
});

test.each([
  ["127.0.0.1:8002", "127.0.0.1", 8002],
  ["[::1]:8002", "::1", 8002],
  ["localhost:0", "localhost", 0],
  [":8002", "127.0.0.1", 8002],
  ["8002", "127.0.0.1", 8002],
  [8002, "127.0.0.1", 8002],
  ["0.0.0.0:65535", "0.0.0.0", 65_535],
])("listenAddress reads %j", (text, hostname, port) => {
  expect(listenAddress.parse(text)).toEqual({ hostname, port });
});

test.each(["", "host", "host:", "host:65536", "::1:80", "http://host:80", "host:80/x", "a b:80", -1, 1.5])(
  "listenAddress refuses %j",
  (text) => {
    expect(listenAddress.safeParse(text).success).toBe(false);
  },
);

test("isLoopback() knows the addresses that only this machine reaches", () => {
  expect(["localhost", "::1", "127.0.0.1", "127.9.9.9"].every(isLoopback)).toBe(true);
  expect(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com"].some(isLoopback)).toBe(false);
});

test("longDuration goes beyond what a timer can wait for", () => {
  expect(longDuration.parse("30d")).toBe(30 * 86_400_000);
  expect(longDuration.safeParse("36501d").success).toBe(false);
});

test("no text whatever makes byteSize, duration or listenAddress give nonsense", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const bytes = byteSize.safeParse(text);
      if (bytes.success) expect(Number.isSafeInteger(bytes.data) && bytes.data >= 0).toBe(true);
      const ms = duration.safeParse(text);
      if (ms.success) expect(Number.isSafeInteger(ms.data) && ms.data >= 0).toBe(true);
      const listen = listenAddress.safeParse(text);
      if (listen.success) expect(listen.data.port >= 0 && listen.data.port <= 65_535).toBe(true);
    }),
  );
});
