/** Starts the face before TorchServe, in a process of its own or in the peer's. Either way models come through the local
 *  API of the peer: there is one way, whoever runs it. */
import { randomBytes } from "node:crypto";
import type { Log } from "../../schema/log.ts";
import { ProblemError } from "../../schema/problem.ts";
import { describeFaults, isLoopback } from "../../schema/settings.ts";
import { LocalClient, type LocalClientOptions } from "../cli/local-client.ts";
import type { PathContext } from "../config/paths.ts";
import { objectRequest } from "./endpoint-config.ts";
import { loadEndpointConfig, readEndpointConfig } from "./endpoint-config-file.ts";
import { type FaceServer, serveTorchServe } from "./serve-torchserve.ts";
import { TorchServeFace } from "./torchserve-face.ts";
import { type TorchServeSettings, torchServeFaults } from "./torchserve-settings.ts";

export interface StartTorchServeOptions {
  readonly settings: TorchServeSettings;
  /** Where the peer is. */
  readonly peer: Omit<LocalClientOptions, "signal">;
  readonly paths: PathContext;
  readonly umask: number;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** Answers until it is disposed of. @throws ProblemError `bad-request` with all that is wrong in `config.json`, or when
 *  there is no model store; `in-use`, `conflict` when it cannot listen */
export async function startTorchServe(options: StartTorchServeOptions): Promise<FaceServer> {
  const { settings, peer, paths, umask, nowMs, log } = options;
  const read = await readEndpointConfig(settings.config, paths);
  const machine = await torchServeFaults(settings);
  if (read.kind === "faults" || machine.length > 0) {
    const faults = [...(read.kind === "faults" ? read.faults : []), ...machine];
    throw new ProblemError("bad-request", describeFaults("start before TorchServe", faults), { detail: { faults } });
  }
  if (read.loaded.readableByOthers) {
    const message = `it holds secrets and other users can read it: run chmod 600 ${settings.config}`;
    log("warn", "torchserve.config", { file: settings.config, message });
  }
  if (settings.keyFile !== undefined && !isLoopback(settings.listen.hostname)) {
    const message =
      "whoever reaches the face may manage models, since it gives requests TorchServe's key: listen on localhost";
    log("warn", "torchserve.open", { host: settings.listen.hostname, message });
  }
  const face = new TorchServeFace({
    settings,
    objectRequest: async (key) => objectRequest((await loadEndpointConfig(settings.config, paths)).config, key),
    client: (signal) => new LocalClient({ ...peer, signal }),
    umask,
    randomSuffix: () => randomBytes(4).toString("hex"),
    newTrace: () => randomBytes(16).toString("hex"),
    nowMs,
    log,
  });
  const server = await serveTorchServe(settings.listen, (request, response) => face.answer(request, response));
  const { management, modelStore, config } = settings;
  log("info", "torchserve.ready", {
    host: settings.listen.hostname,
    port: server.port,
    management,
    modelStore,
    config,
  });
  return server;
}
