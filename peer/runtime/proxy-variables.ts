/** Variables by which a machine sends its programs through a proxy, as Bun's `fetch` reads them. */

/** The proxy that a URL goes through; `undefined` when its server is connected to at once. */
export function proxyFor(url: URL, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const firstOf = (...names: string[]) => names.map((name) => env[name] ?? "").find((value) => value !== "");
  const scheme = url.protocol.slice(0, -1);
  const proxy = firstOf(`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, "all_proxy", "ALL_PROXY");
  if (proxy === undefined) return undefined;
  const hostname = url.hostname.replace(/\.$/, "");
  const port = url.port === "" ? (scheme === "https" ? "443" : "80") : url.port;
  const isExempt = (firstOf("no_proxy", "NO_PROXY") ?? "").split(/[,\s]+/).some((entry) => {
    if (entry === "*") return true;
    const [, name = "", only] = /^(?:\*?\.)?(.*?)\.?(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (name === "" || (only !== undefined && only !== port)) return false;
    return hostname === name || hostname.endsWith(`.${name}`);
  });
  if (isExempt) return undefined;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}
