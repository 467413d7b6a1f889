/** Milliseconds after which a parent whose upload slots are busy may have one: `Retry-After` counts in seconds, and a piece takes
 *  less. */
export const RETRY_AFTER_MS_HEADER = "retry-after-ms";
