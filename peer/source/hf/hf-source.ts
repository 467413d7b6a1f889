/** Files of models, datasets and spaces on the Hugging Face Hub: `hf://[datasets/|spaces/]owner/repo[@revision]/path`. */
import { ProblemError } from "../../../schema/problem.ts";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { callerHeaders } from "../caller-headers.ts";
import type { DriverComponents, SourceDriver } from "../driver.ts";
import type { Folder, ListPage, ListQuery } from "../folder.ts";
import { readRange } from "../read-range.ts";
import type { OpenSourceOptions, Source } from "../source.ts";
import { sourceProblem } from "../source-problem.ts";
import { statSource } from "../stat-source.ts";
import { findHfAccess, type HfAccess } from "./hf-access.ts";
import { type HfAddress, hfDisplayUrl, hfLocation, hfUrl, parseHfUrl } from "./hf-address.ts";
import { HfTransport } from "./hf-transport.ts";
import { HfTree, HfTreeCache } from "./hf-tree.ts";
import { pageOfListing } from "./key-pages.ts";

const MAX_KEYS = 1000;

export function hfDriver(components: DriverComponents): SourceDriver {
  const cache = new HfTreeCache(components.io.nowMs);
  return {
    schemes: ["hf"],
    open: (request, options) => openHfSource(request, components, options),
    openFolder: async (request, options = {}) => {
      const address = parseHfUrl(request.url);
      const access = await findHfAccess(request.store ?? {}, address, components);
      const headers = callerHeaders(request.headers);
      const tree = new HfTree({ address, access, headers, io: components.io, guard: options.guard, cache });
      return new HfFolder(request, address, tree);
    },
  };
}

async function openHfSource(
  request: SourceRequest,
  components: DriverComponents,
  { guard }: OpenSourceOptions = {},
): Promise<Source> {
  const address = parseHfUrl(request.url);
  if (address.path === "" || address.path.endsWith("/")) {
    const what = "names a repository or a folder, but no file in it";
    // Clients of S3 look whether there is an object that stands for the folder.
    const code = address.path === "" ? "bad-request" : "source-not-found";
    throw sourceProblem(code, hfDisplayUrl(address), what, "Add the path of the file");
  }
  const { io } = components;
  const access = await findHfAccess(request.store ?? {}, address, components);
  const transport = new HfTransport({ address, access, headers: callerHeaders(request.headers), io, guard });
  return {
    location: hfLocation(address, access.endpoint),
    displayUrl: transport.displayUrl,
    get portableRequest() {
      return { ...request, url: hfUrl(transport.pinned), store: portableOptions(access) };
    },
    stat: (signal) => statSource(transport, io, signal),
    read: (range, options) => readRange(transport, io, range, options),
  };
}

function portableOptions({ endpoint, token }: HfAccess): StoreOptions {
  const place = { endpoint: endpoint.href };
  return token === undefined ? { ...place, anonymous: true } : { ...place, anonymous: false, accessToken: token };
}

class HfFolder implements Folder {
  readonly bucket: string;
  readonly prefix: string;
  readonly displayUrl: string;
  readonly #request: SourceRequest;
  readonly #address: HfAddress;
  readonly #tree: HfTree;
  #commit: string | undefined;

  constructor(request: SourceRequest, address: HfAddress, tree: HfTree) {
    this.bucket = address.repo;
    this.prefix = address.path;
    this.displayUrl = hfDisplayUrl(address);
    this.#request = request;
    this.#address = address;
    this.#tree = tree;
  }

  async list(query: ListQuery, signal: AbortSignal): Promise<ListPage> {
    const { prefix = this.prefix, delimiter, maxKeys = MAX_KEYS } = query;
    if (!prefix.startsWith(this.prefix)) {
      throw new ProblemError(
        "bad-request",
        `${this.displayUrl}: a listing outside of this prefix was asked for. Open the other one`,
      );
    }
    this.#commit ??= await this.#tree.commit(signal);
    // The Hub lists folders, not what begins alike.
    const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")));
    const listing = await this.#tree.list(this.#commit, folder, delimiter !== "/", signal);
    return pageOfListing(listing, { ...query, prefix, maxKeys: Math.max(1, Math.min(MAX_KEYS, maxKeys)) });
  }

  /** At the commit that was listed. */
  objectRequest(key: string): SourceRequest {
    const { revision } = this.#address;
    const url = hfUrl({ ...this.#address, revision: this.#commit ?? revision, path: key });
    return { ...this.#request, url: hfUrl(parseHfUrl(url)) };
  }
}
