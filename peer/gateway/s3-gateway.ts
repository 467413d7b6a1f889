/** The S3 face of a peer: reads and lists the configured buckets, whatever stores they are in, for clients that speak
 *  S3. Objects come through the tasks of this peer, so that their bytes leave the store once for the whole cluster. */
import type { Log } from "../../schema/log.ts";
import { problemOf } from "../../schema/problem.ts";
import { OWN_READ_HEADER, OWN_READ_ID } from "../source/own-reads.ts";
import type { Sources } from "../source/sources.ts";
import type { Transfers } from "../transfer/transfers.ts";
import { authenticate, type Caller } from "./authenticate.ts";
import { readableBucket, readableBuckets } from "./bucket-access.ts";
import { bucketsReply, locationReply, REGION, versioningReply } from "./bucket-replies.ts";
import type { GatewayAccess, GatewayBucket } from "./gateway-access.ts";
import { GatewayLists } from "./gateway-lists.ts";
import type { GatewayReply, GatewayRequest } from "./gateway-port.ts";
import { parseListRequest } from "./list-query.ts";
import { listReply } from "./list-reply.ts";
import { ObjectRequests } from "./object-requests.ts";
import { S3Problem, s3ProblemOf } from "./s3-problem.ts";
import { parseS3Request, type S3Request, targetOf } from "./s3-request.ts";
import { errorXml } from "./s3-xml.ts";
import { refuseSubresources } from "./subresources.ts";

export interface S3GatewayComponents {
  readonly sources: Sources;
  readonly transfers: Pick<Transfers, "open" | "get">;
  /** Read at every request, since it can change. */
  readonly access: () => GatewayAccess;
  readonly nowMs: () => number;
  readonly log: Log;
}

interface Call {
  readonly request: S3Request;
  readonly caller: Caller;
  readonly access: GatewayAccess;
  readonly reply: GatewayReply;
  readonly signal: AbortSignal;
}

const XML = { "content-type": "application/xml" };

export class S3Gateway {
  readonly #components: S3GatewayComponents;
  readonly #lists: GatewayLists;
  readonly #objects: ObjectRequests;

  constructor(components: S3GatewayComponents) {
    const { sources, transfers, access } = components;
    const shareMs = () => access().cacheMs;
    this.#components = components;
    this.#lists = new GatewayLists(sources.openFolder, shareMs);
    this.#objects = new ObjectRequests({ openSource: sources.open, transfers, shareMs });
  }

  /** Answers one request, whatever it is; never rejects. */
  async answer(given: GatewayRequest, reply: GatewayReply): Promise<void> {
    try {
      await this.#answer(given, reply);
    } catch (error) {
      if (!given.signal.aborted) this.#tell(error, given, reply);
      if (given.signal.aborted || reply.begun) reply.abort();
      else refuse(error, given, reply);
    }
  }

  /** Ends what goes on without a request. */
  close(): void {
    this.#objects.close();
  }

  async #answer(given: GatewayRequest, reply: GatewayReply): Promise<void> {
    if (given.method !== "GET" && given.method !== "HEAD") {
      throw new S3Problem("MethodNotAllowed", "The gateway is read-only: write to the store itself", {
        fields: { Method: given.method, ResourceType: "OBJECT" },
        headers: { allow: "GET, HEAD" },
      });
    }
    const access = this.#components.access();
    const request = parseS3Request(given, access.domain);
    refuseOwnRead(request);
    const { bucket: name, key } = targetOf(request);
    const caller = authenticate(request, access.keys, this.#components.nowMs());
    if (name === undefined) {
      reply.send(200, XML, bucketsReply(readableBuckets(caller, access)));
      return;
    }
    const bucket = readableBucket(name, caller, access);
    refuseSubresources(request.query);
    const call = { request, caller, access, reply, signal: given.signal };
    if (key === undefined) await this.#answerBucket(call, bucket);
    else await this.#answerObject(call, bucket, key);
  }

  async #answerBucket({ request, reply, signal }: Call, bucket: GatewayBucket): Promise<void> {
    const { method, query } = request;
    if (method === "HEAD") {
      await this.#lists.check(bucket, signal);
      reply.send(200, { "x-amz-bucket-region": REGION });
    } else if (query.has("location")) {
      reply.send(200, XML, locationReply());
    } else if (query.has("versioning")) {
      reply.send(200, XML, versioningReply());
    } else {
      const asked = parseListRequest(query);
      const page = await this.#lists.list(bucket, asked, signal);
      reply.send(200, { ...XML, "x-amz-bucket-region": REGION }, listReply(bucket.name, asked, page));
    }
  }

  async #answerObject({ request, caller, reply, signal }: Call, bucket: GatewayBucket, key: string): Promise<void> {
    const version = request.query.get("versionId") ?? undefined;
    const source = await this.#lists.objectRequest(bucket, key, version);
    await this.#objects.answer({ request, source, isSigned: caller.kind === "key", reply, signal });
  }

  /** What a client cannot help is told in the log. */
  #tell(error: unknown, { method }: GatewayRequest, { requestId, begun }: GatewayReply): void {
    const { code, status, message } = s3ProblemOf(error);
    if (begun)
      this.#components.log("warn", "gateway.broken", { request: requestId, problem: problemOf(error).message });
    else if (code === "InternalError") {
      this.#components.log("warn", "gateway.error", { request: requestId, method, error: String(error) });
    } else if (status >= 500 && code !== "NotImplemented") {
      this.#components.log("info", "gateway.refused", { request: requestId, method, code, message });
    }
  }
}

/** A profile or a rule of `stores` names this gateway as the store of one of its buckets. */
function refuseOwnRead({ headers }: S3Request): void {
  if (headers.get(OWN_READ_HEADER) !== OWN_READ_ID) return;
  throw new S3Problem("InvalidRequest", "This gateway was asked by its own peer, as if it were the store", {
    headers: { [OWN_READ_HEADER]: OWN_READ_ID },
  });
}

function refuse(error: unknown, { target }: GatewayRequest, reply: GatewayReply): void {
  const { code, status, message, fields, headers } = s3ProblemOf(error);
  const { requestId } = reply;
  const resource = target.replace(/\?.*$/s, "");
  const body = errorXml({
    Code: code,
    Message: message,
    Resource: resource,
    ...fields,
    RequestId: requestId,
    HostId: requestId,
  });
  reply.send(status, { ...XML, ...headers }, body);
}
