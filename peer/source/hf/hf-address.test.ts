import { expect, test } from "bun:test";
import { isProblemError } from "../../../schema/problem.ts";
import { hfLocation, hfUrl, parseHfUrl, resolveUrl, treeUrl } from "./hf-address.ts";

const HUB = new URL("https://huggingface.co");

test.each([
  ["hf://owner/repo/a/b.bin", "models", "owner/repo", "main", "a/b.bin"],
  ["hf://models/owner/repo/f", "models", "owner/repo", "main", "f"],
  ["HF://datasets/owner/repo@v1.0/f", "datasets", "owner/repo", "v1.0", "f"],
  ["hf://spaces/owner/repo@refs/pr/1/f", "spaces", "owner/repo", "refs/pr/1", "f"],
  ["hf://owner/repo@feature%2Fx/a b@c", "models", "owner/repo", "feature/x", "a b@c"],
  ["hf://owner/repo", "models", "owner/repo", "main", ""],
  ["hf://owner/repo@v1", "models", "owner/repo", "v1", ""],
] as const)("parseHfUrl(%j) takes the path literally", (url, type, repo, revision, path) => {
  const address = parseHfUrl(url);
  expect(address).toEqual({ type, repo, revision, path });
  expect(parseHfUrl(hfUrl(address))).toEqual(address);
});

test.each([
  ["hf://gpt2", "no repository"],
  ["hf:///repo/f", "no repository"],
  ["hf://owner/repo@/f", "revision"],
  ["hf://owner/repo@a%2F..%2Fb/f", "revision"],
  ["hf://owner/repo/a/../b", ". or .."],
])("parseHfUrl(%j) is refused: %s", (url, words) => {
  try {
    parseHfUrl(url);
    throw new Error("it was taken");
  } catch (error) {
    if (!isProblemError(error)) throw error;
    expect([error.code, error.message]).toEqual(["bad-request", expect.stringContaining(words)]);
  }
});

test("a file is asked for at its revision, and located without it", () => {
  const address = parseHfUrl("hf://datasets/owner/repo@refs/pr/1/a b/é?#.bin");
  expect(resolveUrl(address, HUB).href).toBe(
    "https://huggingface.co/datasets/owner/repo/resolve/refs%2Fpr%2F1/a%20b/%C3%A9%3F%23.bin",
  );
  expect(treeUrl(address, "a b", true, new URL("https://mirror/hub/")).href).toBe(
    "https://mirror/hub/api/datasets/owner/repo/tree/refs%2Fpr%2F1/a%20b?recursive=true&expand=false",
  );
  expect(hfLocation(address, HUB)).toBe("hf://huggingface.co/datasets/owner/repo/a%20b/%C3%A9%3F%23.bin");
});
