import { expect, test } from "bun:test";
import { proxyFor } from "./proxy-variables.ts";

const PROXY = "http://proxy.example:3128";

test.each([
  ["http://a.example/", { http_proxy: PROXY }, PROXY],
  ["http://a.example/", { HTTP_PROXY: PROXY, http_proxy: "" }, PROXY],
  ["http://a.example/", { https_proxy: PROXY }, undefined],
  ["https://a.example/", { HTTPS_PROXY: "proxy.example:3128" }, PROXY],
  ["https://a.example/", { all_proxy: PROXY }, PROXY],
  ["http://a.example/", { http_proxy: PROXY, no_proxy: "b.example" }, PROXY],
  ["http://a.example/", { http_proxy: PROXY, no_proxy: "xa.example,ample" }, PROXY],
  ["http://a.example/", { http_proxy: PROXY, NO_PROXY: "b.example, A.example" }, undefined],
  ["http://x.a.example./", { http_proxy: PROXY, no_proxy: "a.example" }, undefined],
  ["http://x.a.example/", { http_proxy: PROXY, no_proxy: ".a.example" }, undefined],
  ["http://x.a.example/", { http_proxy: PROXY, no_proxy: "*.a.example" }, undefined],
  ["http://a.example/", { http_proxy: PROXY, no_proxy: "a.example:80" }, undefined],
  ["http://a.example/", { http_proxy: PROXY, no_proxy: "a.example:8080" }, PROXY],
  ["http://a.example/", { http_proxy: PROXY, no_proxy: "*" }, undefined],
])("proxyFor() leads %s with %j through %s", (url, env, proxy) => {
  expect(proxyFor(new URL(url), env)).toBe(proxy);
});
