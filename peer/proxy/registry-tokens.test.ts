import { expect, test } from "bun:test";
import { parseChallenge } from "./registry-tokens.ts";

test("parseChallenge() reads what Docker Hub says", () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/demo:pull"';
  expect(parseChallenge(header)).toEqual({
    realm: new URL("https://auth.docker.io/token"),
    service: "registry.docker.io",
    scope: "repository:library/demo:pull",
  });
});

test("parseChallenge() takes nothing that is no token, or leads nowhere", () => {
  for (const header of [
    undefined,
    "",
    'Basic realm="x"',
    "Bearer",
    'Bearer realm="x"',
    'Bearer realm="file:///etc/passwd"',
  ]) {
    expect(parseChallenge(header)).toBeUndefined();
  }
});
