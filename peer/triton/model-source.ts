/** The request that reads a model: its folder, and the rights that the agent's files, flags or variables give. */
import type { SettingFault } from "../../schema/settings.ts";
import type { GetRequest } from "../../schema/wire/local.ts";
import type { StoreOptions } from "../../schema/wire/store-options.ts";
import { storeOptionsOf } from "../cli/store-options.ts";
import type { PathContext } from "../config/paths.ts";
import { credentialFor } from "./cloud-credential.ts";
import type { ModelUrl } from "./model-url.ts";
import type { TritonFiles } from "./triton-files.ts";
import type { TritonSettings } from "./triton-settings.ts";

/** What says where a store is, and not who reads it. */
const PLACE: readonly (keyof StoreOptions)[] = ["endpoint", "region", "pathStyle", "userProject"];

export interface ModelSourceWords {
  readonly url: ModelUrl;
  readonly files: TritonFiles;
  /** Those that are right. */
  readonly settings: Partial<TritonSettings>;
  /** As given, by key. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly context: PathContext;
}

/** An entry of `cloud_credential.json` goes before flags and variables; keys are taken from one place, never mixed.
 *  @throws ProblemError `source-forbidden` when that file has entries for such stores and none fits */
export async function modelSource(
  words: ModelSourceWords,
): Promise<{ readonly source: GetRequest["source"]; readonly faults: readonly SettingFault[] }> {
  const { url, files, settings, flags, context } = words;
  const said = await storeOptionsOf({ url: url.folderUrl, settings, flags, env: context.env, cwd: context.cwd });
  const entry = credentialFor(url.location, files.credential);
  const base = entry === undefined ? said.options : placeOf(said.options);
  const ofUrl = url.endpoint === undefined ? {} : { endpoint: url.endpoint };
  const store = { ...base, ...entry, ...ofUrl };
  const { header, filter } = files.config;
  const source = {
    url: url.folderUrl,
    headers: header,
    ...(filter === undefined ? {} : { filteredQueryParams: filter }),
    ...(Object.keys(store).length === 0 ? {} : { store }),
  };
  return { source, faults: said.faults };
}

function placeOf(options: StoreOptions): StoreOptions {
  const place = PLACE.filter((key) => options[key] !== undefined);
  return Object.fromEntries(place.map((key) => [key, options[key]]));
}
