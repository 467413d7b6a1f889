/** The head of an HTTP/1.1 request, its empty line included.
 *  @throws Error when a part of it would end its line, or is no ASCII: it came from elsewhere */
export function requestHead(
  method: string,
  target: string,
  host: string,
  headers: Iterable<readonly [name: string, value: string]>,
): string {
  const lines = [`${method} ${target} HTTP/1.1`, `host: ${host}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  for (const line of lines)
    if (!/^[\x20-\x7e]*$/.test(line)) throw new Error("a header has characters that none may have");
  return `${lines.join("\r\n")}\r\n\r\n`;
}
