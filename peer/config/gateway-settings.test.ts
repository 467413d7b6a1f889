import { describe, expect, test } from "bun:test";
import { resolveSettings } from "../../schema/settings.ts";
import { GATEWAY_SETTINGS, gatewayFaults } from "./gateway-settings.ts";

const KEY = { accessKeyId: "reader", secretAccessKey: "reader-secret" };

function read(values: object) {
  return resolveSettings(GATEWAY_SETTINGS, { flags: {}, env: {}, file: { name: "peer.yaml", values } });
}

function settingsOf(values: object) {
  const resolved = read(values);
  if (resolved.kind === "faults") throw new Error(resolved.faults.map(({ problem }) => problem).join("; "));
  return resolved.settings;
}

function faultsOf(values: object): string[] {
  const resolved = read(values);
  const faults = resolved.kind === "faults" ? resolved.faults : gatewayFaults(resolved.settings, resolved.origins);
  return faults.map(({ origin, value, problem }) => `${origin}: ${value}: ${problem}`);
}

describe("settings of the gateway", () => {
  test("name buckets and where they are; a location is a folder", () => {
    const buckets = { models: "s3://models/prod", open: { location: "gs://open/", anonymous: true } };
    expect(settingsOf({ buckets, gatewayKeys: [KEY] })).toMatchObject({
      buckets: [
        { name: "models", location: "s3://models/prod/", anonymous: false },
        { name: "open", location: "gs://open/", anonymous: true },
      ],
      gatewayListen: { hostname: "127.0.0.1", port: 65_004 },
      gatewayCache: 2000,
    });
  });

  test.each([
    [{ buckets: { "Not_A.Name": "s3://a" } }, "3 to 63 lower-case letters"],
    [{ buckets: { models: "https://host/path" } }, "SCHEME://bucket"],
    [{ buckets: { models: { location: "s3://a", public: true } } }, "public"],
    [{ buckets: { models: "as://account/models?sv=1&sig=hush" } }, "must not hold a signature"],
    [{ buckets: ["models"] }, "mapping of names to locations"],
    [{ gatewayKeys: [KEY, KEY] }, "given twice"],
    [{ gatewayKeys: [{ ...KEY, accessKeyId: "a b" }] }, "must not hold spaces"],
    [{ gatewayKeys: [{ ...KEY, secretAccessKey: "short" }] }, "at least 8 characters"],
  ])("refuse %j", (values, problem) => {
    const faults = faultsOf(values).join("; ");
    expect(faults).toContain(problem);
    expect(faults).not.toContain(KEY.secretAccessKey);
    expect(faults).not.toContain("hush");
  });

  test("do not leave buckets that nobody may read, nor keys for buckets that are not there", () => {
    const buckets = { models: "s3://models" };
    expect(faultsOf({ buckets })).toEqual(["buckets in peer.yaml: models: nobody may read them"]);
    expect(faultsOf({ buckets, gatewayKeys: [{ ...KEY, buckets: ["models", "other"] }] })).toEqual([
      "gatewayKeys in peer.yaml: other: is none of buckets",
    ]);
    expect(faultsOf({ buckets, gatewayKeys: [KEY] })).toEqual([]);
    expect(faultsOf({ buckets: { models: { location: "s3://models", anonymous: true } } })).toEqual([]);
  });
});
