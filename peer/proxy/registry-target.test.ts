import { describe, expect, test } from "bun:test";
import { DEFAULT_PROXY } from "../config/proxy-block.ts";
import { blobDigest, registryTarget } from "./registry-target.ts";

const HEX = "a".repeat(64);
const PRIVATE = { host: "registry.test:5000", url: "http://10.0.0.5:5000", insecure: false, certs: [], direct: false };
const PLAIN = { ...PRIVATE, host: "plain:5000", url: "http://10.0.0.6:5000" };

function urlOf(rawPath: string, named?: string): string {
  const found = registryTarget(rawPath, named, { ...DEFAULT_PROXY, registries: [PRIVATE, PLAIN] });
  return "kind" in found ? found.kind : `${found.target.url.origin}${found.target.rawPath}`;
}

describe("registryTarget()", () => {
  const TABLE: readonly [what: string, rawPath: string, named: string | undefined, url: string][] = [
    [
      "takes Docker Hub when nobody says otherwise",
      "/v2/library/demo/manifests/v1",
      undefined,
      "https://registry-1.docker.io/v2/library/demo/manifests/v1",
    ],
    [
      "takes the registry that containerd names",
      "/v2/demo/manifests/v1?ns=ghcr.io",
      undefined,
      "https://ghcr.io/v2/demo/manifests/v1",
    ],
    [
      "keeps what else containerd asks",
      "/v2/demo/tags/list?n=1&ns=ghcr.io&last=a",
      undefined,
      "https://ghcr.io/v2/demo/tags/list?n=1&last=a",
    ],
    [
      "knows where docker.io is",
      "/v2/library/demo/manifests/v1?ns=docker.io",
      undefined,
      "https://registry-1.docker.io/v2/library/demo/manifests/v1",
    ],
    [
      "knows registries of the settings",
      "/v2/demo/manifests/v1?ns=registry.test%3A5000",
      undefined,
      "http://10.0.0.5:5000/v2/demo/manifests/v1",
    ],
    [
      "takes the registry in the path",
      "/v2/quay.io/team/demo/blobs/x",
      undefined,
      "https://quay.io/v2/team/demo/blobs/x",
    ],
    [
      "takes a registry with a port in the path",
      "/v2/registry.test:5000/demo/manifests/v1",
      undefined,
      "http://10.0.0.5:5000/v2/demo/manifests/v1",
    ],
    [
      "takes a registry with a port in a path as podman can say it",
      "/v2/other.test_5000/demo/manifests/v1",
      undefined,
      "https://other.test:5000/v2/demo/manifests/v1",
    ],
    [
      "knows a registry of the settings by its part of a path, though its name has no dot",
      "/v2/plain_5000/demo/manifests/v1",
      undefined,
      "http://10.0.0.6:5000/v2/demo/manifests/v1",
    ],
    [
      "takes no repository with an underscore for a registry",
      "/v2/team_2024/demo/manifests/v1",
      undefined,
      "https://registry-1.docker.io/v2/team_2024/demo/manifests/v1",
    ],
    [
      "takes no repository for a registry",
      "/v2/team/demo.v2/manifests/v1",
      undefined,
      "https://registry-1.docker.io/v2/team/demo.v2/manifests/v1",
    ],
    [
      "takes the registry of the header before all",
      "/v2/demo/manifests/v1?ns=ghcr.io",
      "http://here.test:81/base/",
      "http://here.test:81/base/v2/demo/manifests/v1",
    ],
    ["is asked whether anybody is here", "/v2/", undefined, "ping"],
    ["passes that question on where a registry is named", "/v2/?ns=ghcr.io", undefined, "https://ghcr.io/v2/"],
  ];
  for (const [what, rawPath, named, url] of TABLE) test(what, () => expect(urlOf(rawPath, named)).toBe(url));

  test("is no server for anything else", () => {
    expect(() => urlOf("/index.html")).toThrow("HTTP proxy");
    expect(() => urlOf("/v2/x/manifests/y", "https://user:secret@a.test")).toThrow("must be a host");
  });

  test("names blobs by their digest, and nothing else", () => {
    expect(blobDigest(`/v2/library/demo/blobs/sha256:${HEX}`)).toEqual({ algorithm: "sha256", hex: HEX });
    for (const path of [
      `/v2/demo/manifests/sha256:${HEX}`,
      `/v2/demo/blobs/sha256:${HEX}/x`,
      "/v2/demo/blobs/sha256:aa",
      `/v2/demo/blobs/blake3:${HEX}`,
    ]) {
      expect(blobDigest(path)).toBeUndefined();
    }
  });
});
