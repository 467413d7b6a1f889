import { expect, test } from "bun:test";
import { callerHeaders } from "./caller-headers.ts";

test.each([
  ["Range", "which bytes to ask for"],
  ["If-None-Match", "which bytes to ask for"],
  ["Host", "it is made of the URL"],
  ["Transfer-Encoding", "how a request is sent"],
])("callerHeaders() refuses %s and says why: %s", (name, reason) => {
  expect(() => callerHeaders({ Accept: "*/*", [name]: "x" })).toThrow(
    new RegExp(`^The header ${name} cannot be passed to a source: ${reason}.*Leave it out$`),
  );
});

test("callerHeaders() passes every other header on as it is", () => {
  const headers = callerHeaders({ Accept: "a, b", "X-Mine": "", Authorization: "Bearer x" });
  expect([...headers]).toEqual([
    ["accept", "a, b"],
    ["authorization", "Bearer x"],
    ["x-mine", ""],
  ]);
});
