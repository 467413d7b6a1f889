/** One running host: wires store, piece server, scheduler, transfers and local API, and takes them down politely. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ProblemError } from "../../schema/problem.ts";
import { ticketKeyOf } from "../../schema/ticket.ts";
import { VERSION } from "../../schema/version.ts";
import type { HostInfo } from "../../schema/wire/host.ts";
import { SchedulerClient } from "../channel/scheduler-client.ts";
import { advertisedOrigin } from "../config/advertised.ts";
import type { LoadedPeerSettings } from "../config/load-peer-settings.ts";
import type { PeerSettings } from "../config/peer-settings.ts";
import { DEFAULT_TRANSFER_POLICY } from "../core/policy.ts";
import { UpstreamTrust } from "../proxy/upstream-trust.ts";
import { openSocket } from "../runtime/open-socket.ts";
import { fileRange, servePieces, serveUnix } from "../runtime/platform-servers.ts";
import { trustingFetch } from "../runtime/trusting-fetch.ts";
import { createPieceApp } from "../serve/piece-app.ts";
import { UploadMeter } from "../serve/upload-meter.ts";
import { checkPullAddress } from "../source/address-guard.ts";
import { createSources } from "../source/sources.ts";
import { openDiskStore } from "../store/disk-store.ts";
import { SeedPulls } from "../transfer/seed-pulls.ts";
import { Transfers } from "../transfer/transfers.ts";
import { ContentDigests } from "./content-digests.ts";
import { GatewayFace } from "./gateway-face.ts";
import { hostIdentity } from "./host-identity.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { Janitor } from "./janitor.ts";
import { LiveSettings } from "./live-settings.ts";
import { LoadMeter } from "./load-meter.ts";
import { createLocalApp } from "./local-app.ts";
import { createLog } from "./log.ts";
import { ProxyFace } from "./proxy-face.ts";
import { reloadOnHangUp } from "./reload-on-hang-up.ts";
import { TrafficLimits } from "./traffic-limits.ts";

const FREE_BYTES_INTERVAL_MS = 10_000;

/** Runs until SIGTERM or SIGINT, then leaves politely. On SIGHUP it takes settings anew from `load`.
 *  @throws ProblemError when it cannot start */
export async function runPeer(settings: PeerSettings, load: () => Promise<LoadedPeerSettings>): Promise<void> {
  const log = createLog(
    () => live.current.logLevel,
    (line) => process.stderr.write(line),
    () => new Date(),
  );
  const live = new LiveSettings(settings, load, log);
  const nowMs = () => Date.now();
  // Durations are measured on a clock that nobody sets.
  const monotonicMs = () => performance.now();
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  await using owned = new AsyncDisposableStack();
  owned.use(reloadOnHangUp(live, log));

  const folder = join(settings.dataDir, "store");
  let janitor: Janitor | undefined;
  const store = await openDiskStore({
    folder,
    nowMs,
    warn: (message) => log("warn", "store.warning", { message }),
    room: {
      reserve: async (taskId, neededBytes) => await janitor?.reserve(taskId, neededBytes),
      relieve: async (neededBytes) => (await janitor?.relieve(neededBytes)) ?? false,
    },
  });
  owned.defer(() => store.close());
  const hostId = await hostIdentity(settings.dataDir);
  const uploads = new UploadMeter(live.current.maxUploads);
  const limits = new TrafficLimits(live.current, monotonicMs);
  live.follow((changed) => {
    uploads.maxUploads = changed.maxUploads;
    limits.set(changed);
  });

  let transfers: Transfers | undefined;
  let pulls: SeedPulls | undefined;
  const pieces = await servePieces({
    ...settings.listen,
    app: createPieceApp({
      store,
      ticketKey: await ticketKeyOf(settings.token),
      nowMs,
      fileRange,
      reading: (taskId) => transfers?.get(taskId)?.download?.reading() ?? [],
      told: (taskId, child, news) => transfers?.get(taskId)?.download?.told(child, news),
      uploads,
      uploadLimit: limits.upload,
      pull:
        settings.role !== "seed"
          ? undefined
          : async (taskId, child, source) => {
              if (pulls === undefined)
                throw new ProblemError("not-ready", "This seed is starting: ask again in a second");
              log("info", "pull.asked", { task: taskId, child });
              await pulls.pull(taskId, source);
            },
    }),
  });
  owned.defer(() => pieces.stop());

  const host: HostInfo = {
    hostId,
    hostname: settings.hostname,
    role: settings.role,
    address: advertisedOrigin(settings.advertised, pieces.port),
    idc: settings.idc,
    location: settings.location,
    version: VERSION,
    startedAtMs: nowMs(),
  };

  let freeBytes = await store.freeBytes();
  const freeBytesTimer = setInterval(() => {
    store.freeBytes().then(
      (bytes) => {
        freeBytes = bytes;
      },
      (error: unknown) => log("warn", "store.warning", { message: String(error) }),
    );
  }, FREE_BYTES_INTERVAL_MS);
  owned.defer(() => clearInterval(freeBytesTimer));
  const downloadedBytes = () => {
    const { source = 0, peers = 0 } = transfers?.received() ?? {};
    return source + peers;
  };
  const running = () => (transfers?.list() ?? []).filter((peer) => peer.running).length;
  const meter = new LoadMeter(
    () => ({
      uploadedBytes: uploads.servedBytes,
      downloadedBytes: downloadedBytes(),
      activeUploads: uploads.busySlots(nowMs()),
      activeDownloads: running(),
      storedBytes: store.storedBytes(),
      freeBytes,
      residentBytes: process.memoryUsage.rss(),
    }),
    monotonicMs,
  );

  const scheduler = new SchedulerClient({
    url: settings.scheduler,
    token: settings.token,
    host,
    load: () => meter.load(),
    openSocket,
    random: Math.random,
    log,
    banned: (banned) => transfers?.banned(banned),
  });
  owned.defer(() => scheduler.close());
  const trust = new UpstreamTrust(() => live.current.proxy);
  const sources = createSources({
    env: process.env,
    fetch: trustingFetch((url) => trust.tlsOf(url), process.env),
    stores: () => live.current.stores,
  });
  transfers = new Transfers({
    hostId,
    idc: settings.idc,
    store,
    openSource: sources.open,
    scheduler,
    policy: {
      ...DEFAULT_TRANSFER_POLICY,
      // Asked whenever requests are planned, so that a new value counts at once.
      get requestsPerParent() {
        return live.current.streamsPerParent;
      },
    },
    sourceLimit: limits.source,
    downloadLimit: limits.download,
    budget: limits.budget,
    nowMs: monotonicMs,
    random: Math.random,
    log,
  });
  const opened = transfers;
  owned.defer(() => opened.close());
  const guard = (url: URL) => checkPullAddress(url, { allow: live.current.pullAllow });
  pulls = new SeedPulls({ transfers, guard, log });
  owned.defer(() => pulls?.close());
  const digests = new ContentDigests();
  const random = Math.random;
  const keeping = { store, folder, transfers: opened, digests, uploads, nowMs, random, log };
  const housekeeping = new Housekeeping(live.current, keeping);
  owned.defer(() => housekeeping.close());
  live.follow((changed) => housekeeping.set(changed));
  janitor = housekeeping.janitor;
  const gateway = await GatewayFace.start({
    sources,
    transfers: opened,
    settings: () => live.current,
    env: process.env,
    nowMs,
    log,
  });
  owned.use(gateway);
  live.follow(() => gateway.follow());
  const serverAddress = new URL(host.address).hostname;
  const proxy = await ProxyFace.start({
    transfers: opened,
    trust,
    settings: () => live.current.proxy,
    listen: settings.proxyListen,
    dataDir: settings.dataDir,
    hostId,
    serverAddress,
    nowMs,
    monotonicMs,
    randomSuffix: () => crypto.getRandomValues(new Uint8Array(4)).toHex(),
    env: process.env,
    log,
  });
  owned.use(proxy);
  live.follow(() => proxy.follow());
  await scheduler.start();

  const local = createLocalApp({
    transfers: opened,
    scheduler,
    digests,
    nowMs: monotonicMs,
    log,
    hostId,
    sources,
    stores: () => live.current.stores,
    env: process.env,
    newTrace: () => crypto.getRandomValues(new Uint8Array(16)).toHex(),
    status: () => ({
      host,
      load: meter.load(),
      scheduler: { url: settings.scheduler, ...scheduler.status() },
      dataDir: settings.dataDir,
      proxy: proxy.url,
      taskCount: opened.list().length,
      runningTaskCount: running(),
      completeTaskCount: opened.list().filter(({ task }) => task.complete).length,
      parentCount: parentCount(opened),
      childCount: uploads.childCount(nowMs()),
      servedBytes: uploads.servedBytes,
      receivedBytes: opened.received(),
      requestsRefused: uploads.refused,
      ...opened.troubles,
      uptimeMs: nowMs() - host.startedAtMs,
    }),
  });
  const socket = await serveUnix({ path: settings.socket, fetch: (request) => local.fetch(request) });
  owned.defer(() => socket.stop());
  if (settings.torchserve !== undefined) {
    const { startTorchServe } = await import("../torchserve/start-torchserve.ts");
    const peer = { socket: settings.socket, startFlags: "" };
    const paths = { env: process.env, cwd: process.cwd() };
    const given = { settings: settings.torchserve, peer, paths, umask: process.umask(), nowMs, log };
    owned.use(await startTorchServe(given));
  }
  log("info", "peer.ready", {
    host: hostId,
    role: host.role,
    address: host.address,
    scheduler: settings.scheduler,
    socket: settings.socket,
  });

  const signal = await stopSignal();
  log("info", "peer.leaving", { signal });
}

/** Hosts that are asked for pieces now. */
function parentCount(transfers: Transfers): number {
  const asked = transfers.list().flatMap(({ download }) => download?.neighbours() ?? []);
  return new Set(asked.filter(({ activeRequests }) => activeRequests > 0).map(({ info }) => info.hostId)).size;
}

/** Resolves with the name of the signal that asks this process to stop. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}
