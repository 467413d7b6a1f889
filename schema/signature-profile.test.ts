import { expect, test } from "bun:test";
import { SIGNATURE_PROFILES, signatureProfilesOf } from "./signature-profile.ts";
import { canonicalLocation } from "./source-location.ts";

const V4 =
  "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=AK%2F20261121%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261121T000000Z&X-Amz-Expires=900&X-Amz-Security-Token=t%2B%3D&X-Amz-Signature=0&X-Amz-SignedHeaders=host";

/** Query strings as the vendors' SDKs write them (integration notes of the design, 6). */
test.each([
  ["boto3, SigV2", "AWSAccessKeyId=AK&Signature=a%2Bb%3D&x-amz-security-token=t&Expires=1", ["s3-v2"], true],
  ["AWS SDK for JavaScript", `${V4}&x-amz-checksum-mode=ENABLED&x-id=GetObject`, ["s3-v4"], true],
  ["AWS with SigV4A", `${V4}&X-Amz-Region-Set=*`, ["s3-v4"], true],
  [
    "GCS V4",
    "X-Goog-Algorithm=A&X-Goog-Credential=c&X-Goog-Date=d&X-Goog-Expires=1&X-Goog-SignedHeaders=host&X-Goog-Signature=s",
    ["gcs-v4"],
    true,
  ],
  ["GCS V2", "GoogleAccessId=a%40b&Expires=1&Signature=s", ["gcs-v2"], true],
  ["Azure service SAS", "sv=2021-12-02&st=1&se=2&sr=b&sp=r&spr=https&sip=1.2.3.4&sig=s%3D", ["azure-sas"], false],
  [
    "Azure user delegation SAS",
    "skoid=1&sktid=2&skt=3&ske=4&sks=b&skv=5&sv=6&se=7&sr=b&sp=r&sig=s",
    ["azure-sas"],
    false,
  ],
  ["Azure account SAS", "sv=2021-12-02&ss=b&srt=o&sp=r&se=2&sig=s", ["azure-account-sas"], false],
  ["Azure SAS of a stored policy", "sv=2021-12-02&sr=c&si=readers&sig=s", ["azure-sas"], false],
  ["OSS V1", "OSSAccessKeyId=a&Expires=1&Signature=s&security-token=t", ["oss-v1"], true],
  [
    "OSS V4",
    "x-oss-credential=c&x-oss-date=d&x-oss-expires=1&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=s&x-oss-security-token=t",
    ["oss-v4"],
    true,
  ],
  ["OBS", "AccessKeyId=a&Expires=1&Signature=s&x-obs-security-token=t", ["obs"], true],
  [
    "COS",
    "q-sign-algorithm=sha1&q-ak=a&q-sign-time=1&q-key-time=1&q-header-list=host&q-url-param-list=&q-signature=s&x-cos-security-token=t",
    ["cos"],
    true,
  ],
  ["CloudFront, canned policy", "Expires=1&Signature=s&Key-Pair-Id=k", ["cloudfront"], false],
  ["CloudFront, own policy", "Policy=p&Signature=s&Key-Pair-Id=k&Hash-Algorithm=SHA256", ["cloudfront"], false],
  [
    "Hugging Face",
    `${V4}&X-Xet-Cas-Uid=me&Policy=p&Signature=s&Key-Pair-Id=k&Expires=1`,
    ["s3-v4", "cloudfront"],
    true,
  ],
  ["GitHub releases", "sp=r&sv=1&sr=b&se=2&sig=s&jwt=j", ["azure-sas"], false],
  ["Akamai", "hdnts=exp%3D1~hmac%3D2", ["akamai-hdnts"], false],
])("%s is known, and nothing of it stays in the location", (_, query, names, coversMethod) => {
  const url = new URL(`https://store.example/object?id=1&${query}&response-content-type=x`);
  const profiles = signatureProfilesOf(url.searchParams.keys());
  expect(profiles.map((profile) => profile.name)).toEqual(names);
  expect(profiles.some((profile) => profile.coversMethod)).toBe(coversMethod);
  expect(canonicalLocation(url)).toBe("https://store.example/object?id=1&response-content-type=x");
});

test.each([
  "Signature=s&Expires=1",
  "sig=1",
  "sv=2&st=1",
  "sig=1&sv=en&st=2",
  "policy=p",
  "expires=1&token=t",
  "x-id=GetObject",
  "jwt=j",
])("%s signs nothing", (query) => {
  expect(signatureProfilesOf(new URLSearchParams(query).keys())).toEqual([]);
});

test("every profile drops its own markers, and names are lower-case", () => {
  for (const { markers, parameters } of SIGNATURE_PROFILES) {
    expect(parameters).toEqual(expect.arrayContaining([...markers]));
    expect([...markers, ...parameters].every((name) => name === name.toLowerCase())).toBe(true);
    expect(new Set(parameters).size).toBe(parameters.length);
  }
});
