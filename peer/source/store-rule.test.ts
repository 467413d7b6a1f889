import { expect, test } from "bun:test";
import { ruleFor } from "./store-rule.ts";

const prefixFor = (url: string, prefixes: readonly string[]) =>
  ruleFor(
    url,
    {},
    prefixes.map((prefix) => ({ prefix })),
  )?.prefix;

test.each([
  ["s3://models/key", ["s3://models"], "s3://models"],
  ["s3://models", ["s3://models"], "s3://models"],
  ["s3://models-of-others/key", ["s3://models"], undefined],
  ["s3://models/llm-7b/key", ["s3://models", "s3://models/llm-", "s3://models/x"], "s3://models/llm-"],
  ["s3://models/key", ["s3://models/", "oss://models"], "s3://models/"],
  ["hf://datasets/owner/name/file", ["hf://owner", "hf://datasets/owner"], "hf://datasets/owner"],
])("ruleFor(%s) among %j is %p", (url, prefixes, found) => {
  expect(prefixFor(url, prefixes)).toBe(found);
});
