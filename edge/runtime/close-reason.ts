const MAX_REASON_BYTES = 123;

/** What fits the reason of a WebSocket close frame (RFC 6455, 5.5). */
export function closeReason(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= MAX_REASON_BYTES) return text;
  // A character cut in half becomes U+FFFD at the end: drop it.
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES)).replace(/\uFFFD$/, "");
}
