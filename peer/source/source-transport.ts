/** What one driver adds: how a request for the object is addressed, signed and sent. Everything above it (asking for
 *  the size, checking replies, resuming, retrying) is the same for all drivers. */
import type { ByteRange } from "../../schema/byte-range.ts";

export interface TransportRequest {
  readonly method: "GET" | "HEAD";
  /** Absent: the whole object. */
  readonly range?: ByteRange;
  readonly signal: AbortSignal;
}

export interface SourceTransport {
  /** See `Source.displayUrl`. */
  readonly displayUrl: string;
  /** False when the URL is signed for GET alone. */
  readonly headAllowed: boolean;
  /** Whether `Content-Encoding` is a label the object was stored with, and never something done on the way (S3). */
  readonly encodingIsLabel: boolean;
  /** What to do about a refusal, as a sentence without a full stop. */
  readonly forbiddenRemedy: string;
  /** Sends one request, redirects included, and gives the reply whatever its status is.
   *  Rejects with a ProblemError for what no further try can mend, with anything else when the connection failed. */
  send(request: TransportRequest): Promise<Response>;
}
