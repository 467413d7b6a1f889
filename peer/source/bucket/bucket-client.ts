/** Sends signed requests for one bucket and what is in it: what differs between the stores that speak like S3. */
import { ProblemError } from "../../../schema/problem.ts";
import { callerHeaders } from "../caller-headers.ts";
import { OWN_READ_HEADER, OWN_READ_ID, refuseOwnReply } from "../own-reads.ts";
import type { OpenSourceOptions } from "../source.ts";
import { requestInit, type SourceIo } from "../source-io.ts";
import { type AddressStyle, requestUrl } from "./bucket-address.ts";

export interface BucketRequest {
  readonly method: "GET" | "HEAD";
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Sent without being signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface BucketClient {
  /** What to do about a refusal, as a sentence without a full stop. */
  readonly forbiddenRemedy: string;
  /** Gives the reply whatever its status is; redirects are not followed, since a signature is for one host.
   *  Rejects with a ProblemError for what no further try can mend, with anything else when the connection failed. */
  send(request: BucketRequest): Promise<Response>;
}

/** A request as a signer sees it. */
export interface RequestToSign extends BucketRequest {
  readonly url: URL;
  /** Those to sign; the signer adds its own. */
  readonly signed: Headers;
}

/** Gives the headers to send: those to sign, and the signature. */
export type SignRequest = (request: RequestToSign) => Promise<Headers>;

export interface CallerHeaders {
  /** Those the store gives a meaning, which have to be signed. */
  readonly signed: Headers;
  readonly unsigned: Headers;
}

/** @throws ProblemError `bad-request` for headers that cannot be passed on. */
export function splitHeaders(
  given: Readonly<Record<string, string>>,
  vendorPrefix: string,
  displayUrl: string,
): CallerHeaders {
  const headers = callerHeaders(given);
  if (headers.has("authorization")) {
    throw new ProblemError(
      "bad-request",
      `${displayUrl}: requests to this store are signed here, so the header Authorization cannot be passed on. Leave it out`,
    );
  }
  const split = { signed: new Headers(), unsigned: new Headers() };
  for (const [name, value] of headers) (name.startsWith(vendorPrefix) ? split.signed : split.unsigned).set(name, value);
  return split;
}

export interface SendingParts {
  readonly io: SourceIo;
  readonly guard: OpenSourceOptions["guard"];
  readonly endpoint: URL;
  readonly addressStyle: AddressStyle;
  readonly caller: CallerHeaders;
  /** `undefined`: anonymous. */
  readonly sign: SignRequest | undefined;
}

export async function sendSigned(request: BucketRequest, parts: SendingParts): Promise<Response> {
  const { io, guard, endpoint, addressStyle, caller, sign } = parts;
  const url = requestUrl(endpoint, request, addressStyle);
  const addresses = await guard?.(url);
  const signed = new Headers(caller.signed);
  const headers = sign === undefined ? signed : await sign({ ...request, url, signed });
  for (const [name, value] of caller.unsigned) headers.set(name, value);
  for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, value);
  headers.set(OWN_READ_HEADER, OWN_READ_ID);
  const response = await io.fetch(url, { ...requestInit(request.method, headers, request.signal), addresses });
  refuseOwnReply(response, url);
  return response;
}
