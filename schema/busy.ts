/** Milliseconds after which a parent whose upload slots are busy may have one: `Retry-After` counts in seconds, and a piece takes
 *  less. */
export const RETRY_AFTER_MS_HEADER = "retry-after-ms";

/** On a request for content: bytes that the child asked of this parent before and has not got, over all tasks. */
export const OUTSTANDING_HEADER = "x-pantala-outstanding";

/** On a 429: why, as in `UploadRefusal` of `peer/core/upload-shares.ts`. */
export const REFUSAL_HEADER = "x-pantala-refusal";
