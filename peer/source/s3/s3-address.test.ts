import { expect, test } from "bun:test";
import { parseObjectUrl } from "../bucket/bucket-address.ts";
import { s3EndpointIn, s3Location } from "./s3-address.ts";

const MINIO = new URL("http://127.0.0.1:9000");

test("s3EndpointIn() is the host of the region, in China another domain", () => {
  expect(s3EndpointIn("eu-west-1").href).toBe("https://s3.eu-west-1.amazonaws.com/");
  expect(s3EndpointIn("cn-north-1").href).toBe("https://s3.cn-north-1.amazonaws.com.cn/");
});

test("s3Location() is the same for every way to AWS, and another for every other store", () => {
  const address = parseObjectUrl("s3://bucket/a b?versionId=7");
  const aws = "s3://amazonaws.com/bucket/a%20b?versionId=7";
  expect(s3Location(address, undefined, "eu-west-1")).toBe(aws);
  expect(s3Location(address, new URL("https://s3.eu-west-1.amazonaws.com"), "x")).toBe(aws);
  expect(s3Location(address, new URL("https://evil-amazonaws.com"), "x")).toBe(
    "s3://evil-amazonaws.com/bucket/a%20b?versionId=7",
  );
  expect(s3Location(address, MINIO, "x")).toBe("s3://127.0.0.1:9000/bucket/a%20b?versionId=7");
  expect(s3Location(address, new URL("https://gate.example/s3/"), "x")).toBe(
    "s3://gate.example/s3/bucket/a%20b?versionId=7",
  );
});
