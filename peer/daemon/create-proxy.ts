/** The proxy of a peer, put together. */
import { join } from "node:path";
import type { Log } from "../../schema/log.ts";
import { authorityFilesIn } from "../proxy/authority-files.ts";
import { ForwardProxy } from "../proxy/forward-proxy.ts";
import { Interceptor } from "../proxy/interceptor.ts";
import { OutputPlaces } from "../proxy/output-places.ts";
import { PassThrough } from "../proxy/pass-through.ts";
import { Prefetches } from "../proxy/prefetches.ts";
import type { ProxySettings } from "../proxy/proxy-settings.ts";
import { RegistryAnswers } from "../proxy/registry-answers.ts";
import { RequestRate } from "../proxy/request-rate.ts";
import { TaskAnswers } from "../proxy/task-answers.ts";
import { UpstreamAccess } from "../proxy/upstream-access.ts";
import type { UpstreamTrust } from "../proxy/upstream-trust.ts";
import { trustingFetch } from "../runtime/trusting-fetch.ts";
import type { Transfers } from "../transfer/transfers.ts";

export interface ProxyParts {
  readonly transfers: Transfers;
  readonly trust: UpstreamTrust;
  /** Those of now. */
  readonly settings: () => ProxySettings;
  readonly dataDir: string;
  /** Of this host. */
  readonly hostId: string;
  readonly serverAddress: string;
  readonly nowMs: () => number;
  /** Never set back. */
  readonly monotonicMs: () => number;
  readonly randomSuffix: () => string;
  /** Variables of this process. */
  readonly env: Record<string, string | undefined>;
  readonly log: Log;
}

/** @param isSelf whether a connection to there would come back @param owned what is to be closed with it */
export function createProxy(
  components: ProxyParts,
  isSelf: (host: string, port: number) => boolean,
  owned: AsyncDisposableStack,
): ForwardProxy {
  const { settings, trust, log, hostId, nowMs } = components;
  const via = `pantala-${hostId.slice(0, 12)}`;
  const access = new UpstreamAccess({ policy: () => settings().upstreams, isSelf });
  const passThrough = new PassThrough({ access, tlsOf: (url) => trust.tlsOf(url), via });
  owned.defer(() => passThrough.close());
  const prefetches = new Prefetches(log);
  owned.defer(() => prefetches.close());
  const interceptor = new Interceptor({
    hosts: () => settings().intercept,
    authority: () => {
      const named = settings().authority;
      if (named === undefined) return authorityFilesIn(components.dataDir);
      return { certificatePath: named.cert, keyPath: named.key };
    },
    folder: join(components.dataDir, "proxy-tls"),
    nowMs,
    log,
  });
  owned.defer(() => interceptor.close());
  const outputs = new OutputPlaces({
    folders: () => settings().outputFolders,
    randomSuffix: components.randomSuffix,
  });
  const { transfers, serverAddress } = components;
  return new ForwardProxy({
    settings,
    access,
    rate: new RequestRate(() => settings().requestRate, components.monotonicMs),
    tasks: new TaskAnswers({ transfers, access, prefetches, outputs, log, serverAddress }),
    passThrough,
    registry: new RegistryAnswers(
      passThrough,
      access,
      trustingFetch((url) => trust.tlsOf(url), components.env),
    ),
    interceptor,
    via,
    log,
  });
}
