/** One file by way of the peer on this machine, delivered where it is wanted, without anybody watching. */
import type { GetRequest } from "../../schema/wire/local.ts";
import { type DeliverOptions, deliver } from "./deliver.ts";
import { GetDownload, type GetResult } from "./get-download.ts";
import type { LocalClient } from "./local-client.ts";
import { NO_PROGRESS } from "./progress-view.ts";

export interface FetchOptions extends DeliverOptions {
  readonly nowMs: () => number;
}

/** @throws ProblemError as `LocalClient.get` and `deliver`; nothing is left at `output` then */
export async function fetchFile(
  client: Pick<LocalClient, "get">,
  request: GetRequest,
  output: string,
  options: FetchOptions,
): Promise<GetResult> {
  const download = new GetDownload(request.digest, NO_PROGRESS, options.nowMs);
  for await (const event of client.get(request)) {
    const ready = download.take(event);
    if (ready === undefined) continue;
    // The peer keeps the content where it is until this loop ends.
    const delivery = await deliver(ready.path, output, options);
    return { ...download.result(ready), output, elapsedMs: ready.elapsedMs, delivery };
  }
  throw new Error("The events of a download ended without a last one");
}
