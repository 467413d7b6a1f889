/** Objects in S3 and in stores that speak its protocol. Requests are signed with AWS Signature Version 4 over the host
 *  and the `x-amz-*` headers alone. */
import { AwsV4Signer } from "aws4fetch";
import { formatRange } from "../../../schema/byte-range.ts";
import { ProblemError } from "../../../schema/problem.ts";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { callerHeaders } from "../caller-headers.ts";
import type { DriverComponents, SourceDriver } from "../driver.ts";
import { readBounded } from "../read-bounded.ts";
import { readRange } from "../read-range.ts";
import type { OpenSourceOptions, Source } from "../source.ts";
import { requestInit, type SourceIo } from "../source-io.ts";
import type { SourceTransport, TransportRequest } from "../source-transport.ts";
import { statSource } from "../stat-source.ts";
import { parseS3Url, type S3Address, s3DisplayUrl, s3Location, s3ObjectUrl } from "./s3-address.ts";
import { findS3Access, type S3Access } from "./s3-credentials.ts";
import { mayNameRegion, RegionMemory, regionNamedBy } from "./s3-region.ts";

export interface S3Components extends DriverComponents {
  readonly regions: RegionMemory;
}

const DEFAULT_REGION = "us-east-1";
const MAX_ERROR_BODY_BYTES = 4096;

export function s3Driver(components: DriverComponents): SourceDriver {
  const own: S3Components = { ...components, regions: new RegionMemory() };
  return { schemes: ["s3"], open: (request, options) => openS3Source(request, own, options) };
}

/** @throws ProblemError `bad-request` or `source-forbidden`, see `parseS3Url` and `findS3Access`. */
async function openS3Source(
  request: SourceRequest,
  components: S3Components,
  { guard }: OpenSourceOptions = {},
): Promise<Source> {
  const address = parseS3Url(request.url);
  const access = await findS3Access(request.store ?? {}, address, components);
  const transport = new S3Transport(address, access, callerHeaders(request.headers), components, guard);
  const { io } = components;
  return {
    location: s3Location(address, access.endpoint, access.region ?? DEFAULT_REGION),
    displayUrl: transport.displayUrl,
    portableRequest: { ...request, store: portableOptions(access) },
    stat: (signal) => statSource(transport, io, signal),
    read: (range, options) => readRange(transport, io, range, options),
  };
}

class S3Transport implements SourceTransport {
  readonly displayUrl: string;
  readonly headAllowed = true;
  readonly encodingIsLabel = true;
  readonly forbiddenRemedy: string;
  readonly #address: S3Address;
  readonly #access: S3Access;
  readonly #io: SourceIo;
  readonly #regions: RegionMemory;
  readonly #guard: OpenSourceOptions["guard"];
  /** The caller's: those that S3 gives a meaning are signed, the others only sent. */
  readonly #signed = new Headers();
  readonly #unsigned = new Headers();
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  readonly #bucketId: string;

  constructor(
    address: S3Address,
    access: S3Access,
    headers: Headers,
    components: S3Components,
    guard: OpenSourceOptions["guard"],
  ) {
    this.displayUrl = s3DisplayUrl(address);
    this.forbiddenRemedy =
      access.keys === undefined
        ? "The object is not public: give credentials"
        : "Check the access key, its secret, and its right to read this object";
    this.#address = address;
    this.#access = access;
    this.#io = components.io;
    this.#regions = components.regions;
    this.#guard = guard;
    this.#bucketId = `${access.endpoint?.host ?? ""} ${address.bucket}`;
    if (headers.has("authorization")) {
      throw new ProblemError(
        "bad-request",
        `${this.displayUrl}: requests to S3 are signed here, so the header Authorization cannot be passed on. Leave it out`,
      );
    }
    for (const [name, value] of headers) (name.startsWith("x-amz-") ? this.#signed : this.#unsigned).set(name, value);
  }

  async send(request: TransportRequest): Promise<Response> {
    const region = this.#regions.get(this.#bucketId) ?? this.#access.region ?? DEFAULT_REGION;
    const response = await this.#sendTo(region, request);
    if (!mayNameRegion(response)) return response;
    const body = await readBounded(response, MAX_ERROR_BODY_BYTES);
    const named = regionNamedBy(response.headers, new TextDecoder().decode(body));
    if (named === undefined || named === region) return new Response(body, response);
    this.#regions.learn(this.#bucketId, named);
    return await this.#sendTo(named, request);
  }

  async #sendTo(region: string, { method, range, signal }: TransportRequest): Promise<Response> {
    const { endpoint, pathStyle = endpoint !== undefined } = this.#access;
    const url = s3ObjectUrl(this.#address, endpoint, region, pathStyle);
    await this.#guard?.(url);
    const headers = await this.#sign(method, url, region);
    for (const [name, value] of this.#unsigned) headers.set(name, value);
    if (range !== undefined) headers.set("range", formatRange(range));
    return await this.#io.fetch(url, requestInit(method, headers, signal));
  }

  async #sign(method: string, url: URL, region: string): Promise<Headers> {
    const { keys } = this.#access;
    if (keys === undefined) return new Headers(this.#signed);
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: this.#signed,
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
    ...(keys === undefined ? { anonymous: true } : { anonymous: false, ...keys }),
  };
}
