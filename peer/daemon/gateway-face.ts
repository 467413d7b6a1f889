/** The S3 gateway of a running peer: listens while there are buckets, and follows the settings. */
import { isDeepStrictEqual } from "node:util";
import type { Log } from "../../schema/log.ts";
import { problemOf } from "../../schema/problem.ts";
import type { ListenAddress } from "../../schema/settings.ts";
import type { GatewaySettings } from "../config/gateway-settings.ts";
import { S3Gateway } from "../gateway/s3-gateway.ts";
import { type GatewayServer, serveGateway } from "../runtime/gateway-server.ts";
import type { Sources } from "../source/sources.ts";
import type { Transfers } from "../transfer/transfers.ts";
import { ENDPOINT_VARIABLES, ownProxyVariables } from "./own-proxy-variables.ts";
import { isLocal } from "./proxy-face.ts";

export interface GatewayFaceComponents {
  readonly sources: Sources;
  readonly transfers: Transfers;
  /** Those of now. */
  readonly settings: () => GatewaySettings;
  /** Variables of this process; those that lead its own reads to its own gateway are taken away. */
  readonly env: Record<string, string | undefined>;
  readonly nowMs: () => number;
  readonly log: Log;
}

interface Listening {
  readonly address: ListenAddress;
  readonly server: GatewayServer;
}

export class GatewayFace implements AsyncDisposable {
  readonly #settings: () => GatewaySettings;
  readonly #log: Log;
  readonly #env: GatewayFaceComponents["env"];
  readonly #gateway: S3Gateway;
  #listening: Listening | undefined;
  /** One change after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** @throws ProblemError `in-use`, `conflict` when there are buckets and it cannot listen */
  static async start(components: GatewayFaceComponents): Promise<GatewayFace> {
    const face = new GatewayFace(components);
    await face.#listen(face.#wanted());
    return face;
  }

  private constructor({ sources, transfers, settings, env, nowMs, log }: GatewayFaceComponents) {
    this.#settings = settings;
    this.#env = env;
    this.#log = log;
    const access = () => {
      const { buckets, gatewayKeys: keys, gatewayDomain: domain, gatewayCache: cacheMs } = settings();
      return { buckets, keys, domain, cacheMs };
    };
    this.#gateway = new S3Gateway({ sources, transfers, access, nowMs, log });
  }

  /** The settings changed. An address that cannot be had is told in the log; what else they say counts at once. */
  follow(): void {
    this.#turn = this.#turn.then(async () => {
      try {
        await this.#listen(this.#wanted());
      } catch (error) {
        this.#log("warn", "gateway.closed", { problem: problemOf(error).message });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    await this.#listen(undefined);
    this.#gateway.close();
  }

  #wanted(): ListenAddress | undefined {
    const { buckets, gatewayListen } = this.#settings();
    return buckets.length === 0 ? undefined : gatewayListen;
  }

  async #listen(address: ListenAddress | undefined): Promise<void> {
    const before = this.#listening;
    if (isDeepStrictEqual(before?.address, address)) return;
    this.#listening = undefined;
    await before?.server[Symbol.asyncDispose]();
    if (address === undefined) return;
    const server = await serveGateway(address, (request, reply) => this.#gateway.answer(request, reply));
    this.#listening = { address, server };
    this.#dropOwnVariables(address.hostname, server.port);
    this.#log("info", "gateway.ready", { hostname: address.hostname, port: server.port });
  }

  /** A machine may tell all its programs, and so this one, to read S3 here. */
  #dropOwnVariables(hostname: string, ownPort: number): void {
    const isSelf = (host: string, port: number) => port === ownPort && isLocal(host, hostname);
    for (const name of ownProxyVariables(this.#env, isSelf, ENDPOINT_VARIABLES)) {
      delete this.#env[name];
      this.#log("warn", "gateway.own-variable", {
        message: `${name} leads to this peer's own gateway: it is not used for its own reads`,
      });
    }
  }
}
