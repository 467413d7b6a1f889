/** Variables by which a machine tells its programs to use a proxy, as far as this peer is that proxy. */

const NAMES = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** Those by which it tells them to read S3 at another endpoint. */
export const ENDPOINT_VARIABLES = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];

/** Names of those that lead to this peer's own proxy, or gateway: its own reads would go round in circles.
 *  @param isSelf whether a connection to there would come back */
export function ownProxyVariables(
  env: Readonly<Record<string, string | undefined>>,
  isSelf: (hostname: string, port: number) => boolean,
  names: readonly string[] = NAMES,
): string[] {
  return names.filter((name) => {
    const value = env[name] ?? "";
    const url = URL.parse(/^[a-z]+:\/\//i.test(value) ? value : `http://${value}`);
    return url !== null && isSelf(url.hostname.replaceAll(/[[\]]/g, ""), Number(url.port || 80));
  });
}
