/** A gateway of this process must not be the store that this process reads: a profile or a rule may name it as the endpoint. */
import { ProblemError } from "../../schema/problem.ts";

/** Goes with requests to stores that speak like S3, and comes back from our own gateway. */
export const OWN_READ_HEADER = "x-pantala-read";
/** Names this process. */
export const OWN_READ_ID = crypto.randomUUID();

/** @throws ProblemError `bad-request` for the reply of our own gateway */
export function refuseOwnReply(response: Response, { origin }: URL): void {
  if (response.headers.get(OWN_READ_HEADER) !== OWN_READ_ID) return;
  throw new ProblemError(
    "bad-request",
    `The endpoint ${origin} is the S3 gateway of this very peer, which would ask itself for ever. Name the store's own endpoint under stores in the configuration of the peer, or in the profile that it uses`,
  );
}
