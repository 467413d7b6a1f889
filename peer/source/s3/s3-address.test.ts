import { expect, test } from "bun:test";
import { parseObjectUrl } from "../bucket/bucket-address.ts";
import { s3EndpointIn, s3Location, s3StoreName } from "./s3-address.ts";

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
  // Whoever runs a store on such a machine may call its content as he likes.
  const machine = new URL("http://ec2-1-2-3-4.eu-west-1.compute.amazonaws.com:9000");
  expect(s3Location(address, machine, "x")).toStartWith(`s3://${machine.host}/`);
  expect(s3Location(address, MINIO, "x")).toBe("s3://127.0.0.1:9000/bucket/a%20b?versionId=7");
  expect(s3Location(address, new URL("https://gate.example/s3/"), "x")).toBe(
    "s3://gate.example/s3/bucket/a%20b?versionId=7",
  );
});

test.each([
  "s3.amazonaws.com",
  "s3-us-west-2.amazonaws.com",
  "s3.us-gov-west-1.amazonaws.com",
  "s3.dualstack.eu-west-1.amazonaws.com",
  "s3-fips.dualstack.us-east-1.amazonaws.com",
  "s3-accelerate.dualstack.amazonaws.com",
  "bucket.vpce-0a1b-2c3d.s3.eu-west-1.vpce.amazonaws.com",
])("s3StoreName() takes %s for AWS", (host) => {
  expect(s3StoreName(new URL(`https://${host}`), "x")).toBe("amazonaws.com");
});

test.each([
  "bucket.s3.eu-west-1.amazonaws.com",
  "s3-of-mine.eu-west-1.elb.amazonaws.com",
  "x.execute-api.eu-west-1.amazonaws.com",
])("s3StoreName() takes %s for a store of its own", (host) => {
  expect(s3StoreName(new URL(`https://${host}`), "x")).toBe(host);
});
