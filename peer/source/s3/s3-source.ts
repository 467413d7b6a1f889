/** Objects in S3 and in stores that speak its protocol. Requests are signed with AWS Signature Version 4 over the host
 *  and the `x-amz-*` headers alone. */
import { AwsV4Signer } from "aws4fetch";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { type BucketAddress, bucketDisplayUrl, parseFolderUrl, parseObjectUrl } from "../bucket/bucket-address.ts";
import {
  type BucketClient,
  type BucketRequest,
  type CallerHeaders,
  type RequestToSign,
  sendSigned,
  splitHeaders,
} from "../bucket/bucket-client.ts";
import type { AccessKeys } from "../bucket/layer-keys.ts";
import { bucketFolder, bucketSource, type OpenedBucket } from "../bucket/opened-bucket.ts";
import type { DriverComponents, SourceDriver } from "../driver.ts";
import { readBounded } from "../read-bounded.ts";
import type { OpenSourceOptions } from "../source.ts";
import type { SourceIo } from "../source-io.ts";
import { KeyCache } from "./key-cache.ts";
import { s3EndpointIn, s3StoreName } from "./s3-address.ts";
import { findS3Access, type S3Access } from "./s3-credentials.ts";
import { mayNameRegion, RegionMemory, regionNamedBy } from "./s3-region.ts";

interface S3Components extends DriverComponents {
  readonly regions: RegionMemory;
  readonly keyCache: KeyCache;
}

const DEFAULT_REGION = "us-east-1";
const MAX_ERROR_BODY_BYTES = 4096;

export function s3Driver(components: DriverComponents): SourceDriver {
  const own: S3Components = {
    ...components,
    regions: new RegionMemory(),
    keyCache: new KeyCache(components.io.nowMs),
  };
  return {
    schemes: ["s3"],
    open: async (request, options) => bucketSource(await openS3(parseObjectUrl(request.url), request, own, options)),
    openFolder: async (request, options) =>
      bucketFolder(await openS3(parseFolderUrl(request.url), request, own, options), "v2"),
  };
}

/** @throws ProblemError `bad-request` or `source-forbidden`, see `findS3Access`. */
async function openS3(
  address: BucketAddress,
  request: SourceRequest,
  components: S3Components,
  options: OpenSourceOptions = {},
): Promise<OpenedBucket> {
  const { io } = components;
  const access = await findS3Access(request.store ?? {}, address, components);
  const caller = splitHeaders(request.headers, "x-amz-", bucketDisplayUrl(address));
  return {
    address,
    client: new S3Client(access, caller, components, options.guard),
    io,
    storeName: s3StoreName(access.endpoint, access.region ?? DEFAULT_REGION),
    request,
    portableOptions: () => portableOptions(access),
  };
}

class S3Client implements BucketClient {
  readonly forbiddenRemedy: string;
  readonly #access: S3Access;
  readonly #io: SourceIo;
  readonly #regions: RegionMemory;
  readonly #guard: OpenSourceOptions["guard"];
  readonly #caller: CallerHeaders;
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  constructor(
    access: S3Access,
    caller: CallerHeaders,
    { io, regions }: S3Components,
    guard: OpenSourceOptions["guard"],
  ) {
    this.forbiddenRemedy =
      access.keys === undefined
        ? "The object is not public: give credentials"
        : "Check the access key, its secret, and its right to read this object";
    this.#access = access;
    this.#caller = caller;
    this.#io = io;
    this.#regions = regions;
    this.#guard = guard;
  }

  async send(request: BucketRequest): Promise<Response> {
    const bucketId = `${this.#access.endpoint?.host ?? ""} ${request.bucket}`;
    const region = this.#regions.get(bucketId) ?? this.#access.region ?? DEFAULT_REGION;
    const response = await this.#sendTo(region, request);
    if (!mayNameRegion(response)) return response;
    const body = await readBounded(response, MAX_ERROR_BODY_BYTES);
    const named = regionNamedBy(response.headers, new TextDecoder().decode(body));
    if (named === undefined || named === region) return new Response(body, response);
    this.#regions.learn(bucketId, named);
    return await this.#sendTo(named, request);
  }

  #sendTo(region: string, request: BucketRequest): Promise<Response> {
    const { endpoint = s3EndpointIn(region), pathStyle = this.#access.endpoint !== undefined, keys } = this.#access;
    return sendSigned(request, {
      io: this.#io,
      guard: this.#guard,
      endpoint,
      addressStyle: pathStyle ? "path" : "host",
      caller: this.#caller,
      sign: keys === undefined ? undefined : async (toSign) => await this.#sign(toSign, region, await keys.fresh()),
    });
  }

  async #sign({ method, url, signed }: RequestToSign, region: string, keys: AccessKeys): Promise<Headers> {
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: signed,
      service: "s3",
      region,
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(keys.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken }),
      datetime: new Date(this.#io.nowMs()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
      cache: this.#signingKeys,
    });
    return (await signer.sign()).headers;
  }
}

/** Everything that was found, so that a reader elsewhere finds the same and nothing of its own. */
function portableOptions({ endpoint, region, pathStyle, keys }: S3Access): StoreOptions {
  return {
    endpoint: endpoint?.href ?? "https://s3.amazonaws.com",
    ...(region === undefined ? {} : { region }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
    ...(keys === undefined ? { anonymous: true } : { anonymous: false, ...keys.latest }),
  };
}
