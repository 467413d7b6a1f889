import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { CertificateAuthority, createAuthority } from "../proxy/certificate-authority.ts";
import { pinnedFetch } from "./pinned-fetch.ts";

/** No resolver knows these names. */
const NAME = "models.invalid";
const owned: Server[] = [];
let ca: string;
let plain: number;
let secret: number;

async function listening(server: Server, hostname: string): Promise<number> {
  owned.push(server);
  server.listen(0, hostname);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const authority = await createAuthority("an authority of the test", Date.now());
  ca = authority.certificate;
  const signer = await CertificateAuthority.load(authority);
  const { certificate, key } = await signer.certify(NAME, Date.now());
  plain = await listening(
    createServer((request, response) => response.end(`plain ${request.headers.host} ${request.url}`)),
    "127.0.0.2",
  );
  secret = await listening(
    createTlsServer({ key, cert: certificate }, (request, response) => response.end(`tls ${request.headers.host}`)),
    "127.0.0.2",
  );
});

afterAll(() => {
  for (const server of owned) server.close();
});

const get = async (url: string, addresses: readonly string[], env = {}, init = {}) =>
  await (await pinnedFetch(env)(new URL(url), { ...init, addresses })).text();

test("pinnedFetch() connects to the address that was admitted, and asks it for the name of the URL", async () => {
  const url = `http://${NAME}:${plain}/x?y`;
  expect(await get(url, ["127.0.0.2"])).toBe(`plain ${NAME}:${plain} /x?y`);
  expect(get(url, ["127.0.0.1"])).rejects.toThrow();
  expect(get(url, [])).rejects.toThrow("No address");
});

test("pinnedFetch() verifies the certificate for the name of the URL", async () => {
  const tls = { ca };
  expect(await get(`https://${NAME}:${secret}/`, ["127.0.0.2"], {}, { tls })).toBe(`tls ${NAME}:${secret}`);
  expect(get(`https://other.invalid:${secret}/`, ["127.0.0.2"], {}, { tls })).rejects.toThrow("ALTNAME");
  expect(get(`https://${NAME}:${secret}/`, ["127.0.0.2"])).rejects.toThrow();
});

test("pinnedFetch() goes to another admitted address when nothing listens at the first", async () => {
  expect(await get(`http://${NAME}:${plain}/`, ["127.0.0.3", "127.0.0.2"])).toBe(`plain ${NAME}:${plain} /`);
});

test("pinnedFetch() leaves names to a proxy that is in between, and to none where the name is exempt", async () => {
  const proxy = createServer((request, response) => response.end(`proxied ${request.url}`));
  const port = await listening(proxy, "127.0.0.1");
  const env = { http_proxy: `http://127.0.0.1:${port}` };
  expect(await get("http://models.invalid/a", ["127.0.0.9"], env)).toBe("proxied http://models.invalid/a");
  const exempt = { ...env, no_proxy: NAME };
  expect(await get(`http://${NAME}:${plain}/a`, ["127.0.0.2"], exempt)).toBe(`plain ${NAME}:${plain} /a`);
});
