/** Where a model lies, as Triton writes it: `s3://bucket/models/densenet_onnx`,
 *  `s3://http://host:port/bucket/models/densenet_onnx`, `gs://...`, `as://account/container/...`. */
import { ProblemError } from "../../schema/problem.ts";

export interface ModelUrl {
  /** As credentials are looked up by: what was given, without slashes at the end. */
  readonly location: string;
  /** URL of the model's folder, as sources are named here; ends in a slash. */
  readonly folderUrl: string;
  /** Of the store, where the URL says it. */
  readonly endpoint: string | undefined;
  /** Last part of the path: the folder in the repository, and Triton's name of the model. */
  readonly model: string;
}

/** Triton knows an endpoint by its port. */
const WITH_ENDPOINT = /^s3:\/\/(https?:\/\/)?([0-9a-z.-]+:\d{1,5})\/+(.+)$/i;
const MODEL_NAME = /^[^\s/.][^/\p{Cc}]{0,254}$/u;

/** @throws ProblemError `bad-request` for what names no folder of a model */
export function parseModelUrl(text: string): ModelUrl {
  const location = text.replace(/\/+$/, "");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1];
  if (scheme === undefined) throw refused("is no URL", "Write one such as s3://bucket/models/densenet_onnx");
  const [, protocol = "http://", host, path] = WITH_ENDPOINT.exec(location) ?? [];
  // Slashes are one, as Triton takes them.
  const rest = (path ?? location.slice(scheme.length + 3)).replaceAll(/\/{2,}/g, "/");
  const parts = rest.split("/");
  const model = parts.at(-1) ?? "";
  if (parts.length < 2) throw refused("names a bucket and no model in it", "Add the folder of the model");
  if (parts.some((part) => part === "." || part === ".."))
    throw refused("holds . or .. as a folder", "Name the folder itself");
  if (!MODEL_NAME.test(model))
    throw refused("ends in what cannot be the name of a model", "End it in the folder of the model");
  const endpoint = host === undefined ? undefined : `${protocol.toLowerCase()}${host}`;
  return { location, folderUrl: `${scheme.toLowerCase()}://${rest}/`, endpoint, model };
}

function refused(what: string, remedy: string): ProblemError {
  return new ProblemError("bad-request", `The URL of the model ${what}. ${remedy}`);
}
