/** The pair of keys that one place of options has. */
import { sourceProblem } from "../source-problem.ts";
import type { StoreLayer } from "../store-layers.ts";

/** What requests are signed with. */
export interface AccessKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** `anonymous`: no signature, as was asked for. `undefined`: it says nothing.
 *  @throws ProblemError `bad-request` for half a pair */
export function keysOfLayer(layer: StoreLayer, displayUrl: string): AccessKeys | "anonymous" | undefined {
  const { anonymous, accessKeyId = "", secretAccessKey = "", sessionToken = "" } = layer.options;
  if (anonymous === true) return "anonymous";
  if (accessKeyId !== "" && secretAccessKey !== "") {
    return { accessKeyId, secretAccessKey, sessionToken: sessionToken === "" ? undefined : sessionToken };
  }
  if (accessKeyId === "" && secretAccessKey === "") return undefined;
  const [there, missing] = accessKeyId === "" ? ["secret", "access key id"] : ["access key id", "secret"];
  throw sourceProblem("bad-request", displayUrl, `${layer.name} has the ${there} but not the ${missing}`, "Give both");
}

const REGION = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** A region becomes a part of a host name.
 *  @throws ProblemError `bad-request` */
export function demandRegion(region: string | undefined, displayUrl: string): string | undefined {
  if (region === undefined || REGION.test(region)) return region;
  throw sourceProblem("bad-request", displayUrl, "the region is no name of one", "Write one such as eu-central-1");
}
