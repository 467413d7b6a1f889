import { describe, expect, test } from "bun:test";
import { parse } from "yaml";
import { proxyBlock } from "./proxy-block.ts";
import { insecureWarnings, proxyFaults, withAbsolutePaths } from "./proxy-settings.ts";
import { unknownProxyKeys } from "./unknown-proxy-keys.ts";

/** `dfdaemon.config` of the TorchServe document, word for word. */
const TORCHSERVE = `
    proxy:
      defaultFilter: "Expires&Signature&ns"
      security:
        insecure: true
        cacert: ""
        cert: ""
        key: ""
      tcpListen:
        namespace: ""
        port: 65001
      registryMirror:
        url: https://index.docker.io
        insecure: true
        certs: []
        direct: false
      proxies:
      - regx: blobs/sha256.*
      - regx: .*amazonaws.*
`;

/** The same of the Triton document. */
const TRITON = `
    proxy:
      defaultFilter: 'Expires&Signature&ns'
      security:
        insecure: true
        cacert: ''
        cert: ''
        key: ''
      tcpListen:
        namespace: ''
        port: 65001
      registryMirror:
        url: https://index.docker.io
        insecure: true
        certs: []
        direct: false
      proxies:
        - regx: blobs/sha256.*
        - regx: .*amazonaws.*
        # Proxy all http downlowd requests of model bucket path.
        - regx: .*models.*
`;

const settingsOf = (block: unknown) => proxyBlock.parse(block);
const blockOf = (yaml: string): unknown => (parse(yaml) as { proxy: unknown }).proxy;

describe("the documents' proxy block", () => {
  for (const [name, yaml, patterns] of [
    ["TorchServe", TORCHSERVE, ["blobs/sha256.*", ".*amazonaws.*"]],
    ["Triton", TRITON, ["blobs/sha256.*", ".*amazonaws.*", ".*models.*"]],
  ] as const) {
    test(`of ${name} is taken as it stands`, async () => {
      const proxy = settingsOf(blockOf(yaml));
      expect(unknownProxyKeys(blockOf(yaml))).toEqual([]);
      expect(proxy.rules.map(({ pattern }) => pattern)).toEqual([...patterns]);
      expect(proxy).toMatchObject({
        filteredQueryParams: ["Expires", "Signature", "ns"],
        registryMirror: { url: "https://registry-1.docker.io", insecure: true, certs: [], direct: false },
        listen: { port: 65_001 },
        tls: undefined,
      });
      expect(insecureWarnings(proxy)).toEqual([expect.stringContaining("index.docker.io")]);
      expect(await proxyFaults({ proxy }, { proxy: "proxy", proxyListen: "proxyListen" })).toEqual([]);
    });
  }
});

describe("the proxy block", () => {
  test("has a spelling of our own, and the ones of other versions of Dragonfly", () => {
    const rule = { useTLS: true, redirect: "mirror.test:8080", direct: true, filteredQueryParams: "a&b" };
    const own = settingsOf({
      rules: [{ regex: "x", ...rule }],
      filteredQueryParams: ["a"],
      tag: "t",
      users: [{ username: "u", password: "p" }],
    });
    const theirs = settingsOf({
      proxies: [{ regx: "x", useHTTPS: true, redirect: rule.redirect, direct: true, filter: ["a", "b"] }],
      defaultFilter: "a",
      defaultTag: "t",
      basicAuth: { username: "u", password: "p" },
    });
    expect(own).toEqual(theirs);
    expect(own.rules[0]).toEqual({
      pattern: "x",
      useTls: true,
      redirect: "mirror.test:8080",
      direct: true,
      filteredQueryParams: ["a", "b"],
      authorized: false,
      unvalidated: false,
    });
    expect(settingsOf({ hijackHTTPS: { cert: "c", key: "k", hosts: [{ regx: "h", insecure: true }] } })).toMatchObject({
      authority: { cert: "c", key: "k" },
      intercept: [{ pattern: "h", insecure: true, certs: [] }],
    });
  });

  test("names what it does not know", () => {
    const given = {
      dumpHTTPContent: true,
      registryMirror: { url: "https://a.test", dynamic: true },
      rules: [
        { regex: "x", y: 1 },
        { regex: "z", y: 2 },
      ],
    };
    expect(unknownProxyKeys(given)).toEqual(["dumpHTTPContent", "registryMirror.dynamic", "rules.y"]);
    settingsOf(given);
  });

  const WRONG: readonly [why: string, block: unknown, fault: string][] = [
    ["a rule without a pattern", { rules: [{ direct: true }] }, "rules.0.regex"],
    ["a redirect that is a URL", { rules: [{ regex: "x", redirect: "https://a.test/" }] }, "host"],
    ["a mirror that is no URL", { registryMirror: { url: "index.docker.io" } }, "http:// or https://"],
    ["a listener with TLS and no certificate", { security: { insecure: false } }, "security.insecure"],
    ["a network namespace", { tcpListen: { namespace: "/run/netns/x" } }, "tcpListen.namespace"],
    ["a port that is none", { tcpListen: { port: 70_000 } }, "tcpListen.port"],
    ["a host that is none", { upstreams: { allow: ["a b"] } }, "upstreams.allow.0"],
    ["rules that are no list", { rules: "x" }, "rules"],
  ];
  for (const [why, given, fault] of WRONG) {
    test(`refuses ${why}`, () => {
      const { error } = proxyBlock.safeParse(given);
      expect(error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ")).toContain(fault);
    });
  }

  test("refuses patterns that are none, and says what is wrong with them", async () => {
    const proxy = settingsOf({ rules: [{ regex: "a(" }, { regex: "(?i)fine" }, { regex: "a(?=b)" }] });
    const faults = await proxyFaults({ proxy }, { proxy: "proxy in peer.yaml", proxyListen: "" });
    expect(faults.map(({ origin, value }) => [origin, value])).toEqual([
      ["proxy in peer.yaml", "a("],
      ["proxy in peer.yaml", "a(?=b)"],
    ]);
  });

  test("names its files by absolute paths", () => {
    const given = settingsOf({
      registries: [{ host: "r.test", url: "https://r.test", certs: "ca.pem" }],
      outputFolders: ["out"],
    });
    const { registries, outputFolders } = withAbsolutePaths(given, { env: {}, cwd: "/srv" });
    expect([registries[0]?.certs, outputFolders]).toEqual([["/srv/ca.pem"], ["/srv/out"]]);
  });
});
