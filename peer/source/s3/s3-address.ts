/** Where on the web `s3://` is. */
import { type BucketAddress, bucketLocation, endpointName } from "../bucket/bucket-address.ts";

/** Where a store is: `undefined` for AWS, whose host follows from the region. */
export type S3Endpoint = URL | undefined;

/** Canonical location of an object; one bucket of AWS is the same at each of its hosts. */
export function s3Location(address: BucketAddress, endpoint: S3Endpoint, region: string): string {
  return bucketLocation(s3StoreName(endpoint, region), address);
}

/** Hosts of S3 itself: regional, dual-stack, FIPS, accelerated, and of a private link. A machine or a load balancer of
 *  anybody has a name under the same domain. */
const AWS_HOST =
  /^(?:[a-z]+\.vpce-[a-z0-9-]+\.)?s3(?:-fips|-accelerate|-external-1|-[a-z]{2}(?:-[a-z]+)+-\d)?(?:\.dualstack)?(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?(?:\.vpce)?\.(amazonaws\.com(?:\.cn)?)$/;

export function s3StoreName(endpoint: S3Endpoint, region: string): string {
  if (endpoint === undefined) return awsDomain(region);
  return AWS_HOST.exec(endpoint.hostname)?.[1] ?? endpointName(endpoint);
}

export function s3EndpointIn(region: string): URL {
  return new URL(`https://s3.${region}.${awsDomain(region)}`);
}

function awsDomain(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}
