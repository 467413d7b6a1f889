/** Objects of Google Cloud Storage: `gs://bucket/key`, by its XML API, which speaks like S3. Requests carry a bearer token,
 *  or are signed with HMAC keys by AWS Signature Version 4. */
import { AwsV4Signer } from "aws4fetch";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { type BucketAddress, bucketDisplayUrl, endpointName, parseFolderUrl } from "../bucket/bucket-address.ts";
import {
  type BucketClient,
  type BucketRequest,
  type CallerHeaders,
  type RequestToSign,
  sendSigned,
  splitHeaders,
} from "../bucket/bucket-client.ts";
import { bucketFolder, bucketSource, type OpenedBucket } from "../bucket/opened-bucket.ts";
import type { DriverComponents, SourceDriver } from "../driver.ts";
import type { OpenSourceOptions } from "../source.ts";
import type { SourceIo } from "../source-io.ts";
import { TokenCache } from "../token-cache.ts";
import { findGcsAccess, type GcsAccess, type GcsAccessComponents } from "./gcs-access.ts";
import { gcsObjectUrl, parseGcsUrl } from "./gcs-address.ts";

/** Cloud Storage takes signatures for any region. */
const REGION = "auto";

export function gcsDriver(components: DriverComponents): SourceDriver {
  const own: GcsAccessComponents = { ...components, tokens: new TokenCache(components.io.nowMs) };
  return {
    schemes: ["gs"],
    open: async (request, options) => bucketSource(await openGcs(parseGcsUrl(request.url), request, own, options)),
    openFolder: async (request, options) => {
      const opened = await openGcs(parseFolderUrl(request.url), request, own, options);
      return {
        ...bucketFolder(opened, "v2"),
        objectRequest: (key) => ({ ...request, url: gcsObjectUrl(opened.address.bucket, key) }),
      };
    },
  };
}

/** @throws ProblemError `bad-request` or `source-forbidden`, see `findGcsAccess`. */
async function openGcs(
  address: BucketAddress,
  request: SourceRequest,
  components: GcsAccessComponents,
  { guard }: OpenSourceOptions = {},
): Promise<OpenedBucket> {
  const displayUrl = bucketDisplayUrl(address);
  const { io } = components;
  const access = await findGcsAccess(request.store ?? {}, address, components);
  const client = new GcsClient(access, splitHeaders(request.headers, "x-goog-", displayUrl), io, guard);
  await client.authorize();
  return {
    address,
    client,
    io,
    storeName: endpointName(access.endpoint),
    request,
    portableOptions: () => client.portableOptions(),
  };
}

class GcsClient implements BucketClient {
  readonly forbiddenRemedy: string;
  readonly #access: GcsAccess;
  readonly #caller: CallerHeaders;
  readonly #io: SourceIo;
  readonly #guard: OpenSourceOptions["guard"];
  /** The one that was sent last. */
  #token = "";

  constructor(access: GcsAccess, caller: CallerHeaders, io: SourceIo, guard: OpenSourceOptions["guard"]) {
    this.forbiddenRemedy = REMEDIES[access.credential.kind];
    this.#access = access;
    this.#caller = caller;
    // An object that was stored compressed is sent as it is stored only to who takes gzip; else it is decompressed on the
    // way, and then has no length and no ranges.
    this.#io = { ...io, fetch: (url, init) => io.fetch(url, { ...init, headers: takingGzip(init.headers) }) };
    this.#guard = guard;
  }

  /** Gets a token where one is needed. @throws ProblemError `source-forbidden` */
  async authorize(): Promise<string> {
    const { credential } = this.#access;
    if (credential.kind === "token") this.#token = await credential.token();
    return this.#token;
  }

  async send(request: BucketRequest): Promise<Response> {
    const { endpoint, credential, userProject } = this.#access;
    const query = request.query.map(([name, value]) => [name === "versionId" ? "generation" : name, value] as const);
    const payer = userProject === undefined ? [] : [["userProject", userProject] as const];
    return await sendSigned(
      { ...request, query: [...query, ...payer] },
      {
        io: this.#io,
        guard: this.#guard,
        endpoint,
        addressStyle: "path",
        caller: this.#caller,
        sign: credential.kind === "anonymous" ? undefined : (toSign) => this.#sign(toSign),
      },
    );
  }

  /** Everything that was found, so that a reader elsewhere finds the same and nothing of its own. The key of a service
   *  account stays here: a token of it lives for an hour. */
  portableOptions(): StoreOptions {
    const { endpoint, userProject, credential } = this.#access;
    const place = { endpoint: endpoint.href, ...(userProject === undefined ? {} : { userProject }) };
    switch (credential.kind) {
      case "anonymous":
        return { ...place, anonymous: true };
      case "keys": {
        const { accessKeyId, secretAccessKey } = credential;
        return { ...place, anonymous: false, accessKeyId, secretAccessKey };
      }
      case "token":
        return { ...place, anonymous: false, accessToken: this.#token };
    }
  }

  async #sign({ method, url, signed }: RequestToSign): Promise<Headers> {
    const { credential } = this.#access;
    if (credential.kind !== "keys") {
      signed.set("authorization", `Bearer ${await this.authorize()}`);
      return signed;
    }
    const { accessKeyId, secretAccessKey } = credential;
    const datetime = new Date(this.#io.nowMs()).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
    const options = { method, url: url.href, headers: signed, service: "s3", region: REGION, datetime };
    return (await new AwsV4Signer({ ...options, accessKeyId, secretAccessKey }).sign()).headers;
  }
}

function takingGzip(given: RequestInit["headers"]): Headers {
  const headers = new Headers(given);
  headers.set("accept-encoding", "gzip");
  return headers;
}

const REMEDIES: Readonly<Record<GcsAccess["credential"]["kind"], string>> = {
  anonymous: "The object is not public: give credentials",
  keys: "Check the HMAC keys, and the right of their account to read this object",
  token: "Check that the account has the role Storage Object Viewer for this bucket, and the clock of this machine",
};
