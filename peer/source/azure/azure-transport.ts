/** Requests to Azure Blob Storage, signed with what was found. */
import { formatRange } from "../../../schema/byte-range.ts";
import { ProblemError } from "../../../schema/problem.ts";
import type { OpenSourceOptions } from "../source.ts";
import { requestInit, type SourceIo } from "../source-io.ts";
import type { SourceTransport, TransportRequest } from "../source-transport.ts";
import type { AzureAccess } from "./azure-access.ts";
import { AZURE_VERSION, sharedKeyAuthorization } from "./azure-signature.ts";

export interface AzureTransportOptions {
  readonly url: URL;
  readonly displayUrl: string;
  readonly access: AzureAccess;
  /** The caller's: sent, and signed where Azure signs them. */
  readonly headers: Headers;
  readonly io: SourceIo;
  readonly guard: OpenSourceOptions["guard"];
}

export class AzureTransport implements SourceTransport {
  readonly headAllowed = true;
  readonly encodingIsLabel = true;
  readonly displayUrl: string;
  readonly forbiddenRemedy: string;
  readonly #options: AzureTransportOptions;

  constructor(options: AzureTransportOptions) {
    this.#options = options;
    this.displayUrl = options.displayUrl;
    this.forbiddenRemedy = REMEDIES[options.access.credential.kind];
    if (!options.headers.has("authorization")) return;
    throw new ProblemError(
      "bad-request",
      `${this.displayUrl}: requests to Azure are signed here, so the header Authorization cannot be passed on. Leave it out`,
    );
  }

  async send({ method, range, signal }: TransportRequest): Promise<Response> {
    const { url: base, access, io, guard } = this.#options;
    const url = new URL(base);
    const { credential, account } = access;
    if (credential.kind === "sas") url.search = [url.search.slice(1), credential.query].filter(Boolean).join("&");
    const addresses = await guard?.(url);
    const headers = new Headers(this.#options.headers);
    headers.set("x-ms-version", AZURE_VERSION);
    headers.set("x-ms-date", new Date(io.nowMs()).toUTCString());
    if (range !== undefined) headers.set("range", formatRange(range));
    if (credential.kind === "token") headers.set("authorization", `Bearer ${await credential.token()}`);
    if (credential.kind === "key") {
      headers.set("authorization", sharedKeyAuthorization(method, url, headers, { account, key: credential.key }));
    }
    const response = await io.fetch(url, { ...requestInit(method, headers, signal), addresses });
    if (isDirectory(response.headers)) return notThere(response);
    return range === undefined ? response : seenEmpty(response);
  }
}

const REMEDIES: Readonly<Record<AzureAccess["credential"]["kind"], string>> = {
  anonymous: "The container is not public: give credentials",
  key: "Check the account and its key",
  sas: "Check that the shared access signature is for this container or blob, lets it be read, and has not expired",
  token: "Check that the identity has the role Storage Blob Data Reader for this container",
};

/** A folder of an account with a hierarchy (Data Lake Storage), or what Hadoop keeps for one elsewhere: it has a name and no
 *  content, and is no object to those who ask for files. */
function isDirectory(headers: Headers): boolean {
  return headers.get("x-ms-resource-type") === "directory" || headers.get("x-ms-meta-hdi_isfolder") === "true";
}

async function notThere(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, { status: 404 });
}

/** Azurite 3.37 answers a range of an empty blob with 206 and `bytes 0--1/0`, where Azure answers 416. */
function seenEmpty(response: Response): Response {
  if (response.status !== 206 || !/^bytes 0-+1?\/0$/.test(response.headers.get("content-range") ?? "")) return response;
  const headers = new Headers(response.headers);
  headers.set("content-range", "bytes */0");
  return new Response(null, { status: 416, headers });
}
