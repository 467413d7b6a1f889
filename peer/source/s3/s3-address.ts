/** Where on the web `s3://` is. */
import { type BucketAddress, bucketLocation, endpointName } from "../bucket/bucket-address.ts";

/** Where a store is: `undefined` for AWS, whose host follows from the region. */
export type S3Endpoint = URL | undefined;

/** Canonical location of an object; one bucket of AWS is the same at each of its hosts. */
export function s3Location(address: BucketAddress, endpoint: S3Endpoint, region: string): string {
  return bucketLocation(s3StoreName(endpoint, region), address);
}

export function s3StoreName(endpoint: S3Endpoint, region: string): string {
  if (endpoint === undefined) return awsDomain(region);
  const aws = /(?:^|\.)(amazonaws\.com(?:\.cn)?)$/.exec(endpoint.hostname);
  return aws?.[1] ?? endpointName(endpoint);
}

export function s3EndpointIn(region: string): URL {
  return new URL(`https://s3.${region}.${awsDomain(region)}`);
}

function awsDomain(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}
