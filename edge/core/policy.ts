/** Every number the scheduler decides by, with its unit and where it comes from. */

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Policy {
  /** How often a host says that it is there. Two messages a minute keep a fleet of 10,000 idle hosts cheap (field notes 4.4). */
  readonly heartbeatIntervalMs: number;
  /** How often a host reports a running task. A piece of the longest kind takes 130 ms on 1 Gbit/s. */
  readonly progressIntervalMs: number;

  /** Hosts a peer trades with. A mesh of degree 10 reaches 74 % of the bound, one of 30 89 % (field notes 2.3). */
  readonly maxNeighbours: number;
  /** Share of a peer's neighbours that may be of its own idc: the rest ties the sites together, or a piece read at one
   *  would never reach another. */
  readonly sameIdcShare: number;
  /** Peers looked at when neighbours are chosen: bounds the work of a join, and chance alone makes the mesh an expander. */
  readonly neighbourSample: number;
  /** Hosts that were told to pull a task to one seed: one might die before it does. */
  readonly pullersPerSeed: number;
  /** Seeds a task is pulled to. */
  readonly seedsPerTask: number;
  /** A pair that failed to trade is not brought together again for this long, twice as long with each failure. */
  readonly avoidMs: number;
  /** Doubled this often at most: 30 s become 16 min. */
  readonly avoidDoublings: number;
  /** Pairs that are remembered, for each peer: many times its neighbours. */
  readonly avoidedPerPeer: number;
  /** A peer exchanges neighbours no more often than this, whatever it says: a third of the time that peers leave (`exchangeMs`). */
  readonly exchangePauseMs: number;
  /** A running peer that got nothing for this long is given another neighbour that has what it lacks. */
  readonly stallMs: number;

  /** Longest run among several readers, or ahead of one who takes the content in order: one request to the source, long
   *  enough that its round trip does not show. */
  readonly leaseRunBytes: number;
  /** Longest run of a host that reads alone: four of them take a second on 10 Gbit/s, so that runs are few and what is
   *  granted ahead (`leaseAheadMs`) is a part of one. */
  readonly leaseLongRunBytes: number;
  /** Nor is such a run longer than what takes this long at the pace of its reader: whoever comes then finds something left
   *  soon, and no stream has to be cut off for it. */
  readonly leaseLongRunMs: number;
  /** Among several readers the end of a lease is asked back only when it is this long: when a stream is cut off, what the
   *  source had sent ahead was sent in vain, up to about 6 MB on Linux with its buffers as they come. */
  readonly leaseShareBytes: number;
  /** The same where there is one reader, which gains only what its streams would not have ended together. */
  readonly leaseLoneShareBytes: number;
  /** Who kept the end of a lease it was asked for, because what the source sends waits for it, is asked again after this long. */
  readonly leaseAskAgainMs: number;
  /** When nothing else is left to read, a lease that has longer to go than this is shared however short it is, and taken from a
   *  host when another one, which is idle, would read it many times as fast. */
  readonly leaseSlowMs: number;
  /** How many times as long a stream must need as another host, before that may take all from it: the streams of a host share
   *  its line, and what it read of the piece is lost. */
  readonly leaseMuchSooner: number;
  /** The same of the leases of slow hosts: theirs is not a stream that will be faster in a second, and what they read comes to
   *  others over their line once more. */
  readonly leaseEndMs: number;
  readonly leaseSooner: number;
  /** Once pieces of this share of the task were taken so, slow hosts get the patience that others have: more would be read twice
   *  than 2 % of a file of 24 MiB. */
  readonly leaseTakenShare: number;
  /** A host that gets pieces this many times slower than the best, and holds as much less, is slow (decision 0019). */
  readonly muchSlower: number;
  /** Such a host is asked for the rest of a lease that takes it longer than this: on a machine that is busy a host falls behind for a
   *  second whose line is as good as any, and what the source sent it ahead would be read twice. */
  readonly slowRestMs: number;
  /** The next run is granted when one ends within this time, so that a stream never waits for us: two reports and a round
   *  trip. */
  readonly leaseAheadMs: number;
  /** Runs right at the cursor of a reader are this long, or one piece: the next ones come in further streams. */
  readonly leaseCursorBytes: number;
  /** Runs at cursors that a host may have beyond its others: a reader that comes to another place waits for none of them. */
  readonly leaseCursorRuns: number;
  /** Peers whose readers are looked at in one turn, drawn by chance where there are more: bounds the work of a message. */
  readonly cursorSample: number;
  /** First runs of a host among several are no longer than this, or one piece, and later ones no longer than what it has read so
   *  far. Whoever asks first would otherwise have the streams of the source for long, and a herd would wait for one uplink
   *  (`bench sim`, 64 hosts on 20 Mbit/s: 57 % of the bound with 2 MiB and 16 requests, 73 % with this and 12). */
  readonly leaseFirstBytes: number;
  /** Shortest run of a host that reads alone. */
  readonly leaseStartBytes: number;
  /** Runs of a lone reader are at most so many times as long as all it has read: two rounds of them take it from 2 MiB to runs
   *  of the longest kind. */
  readonly leaseLoneGrowth: number;
  /** Runs one host has outstanding: four streams fill a link where one does not (S3 gives 50-100 MB/s a connection). */
  readonly leaseRunsPerHost: number;
  /** What is left to read is shared among several hosts in so many runs for each (`bench sim`, 24 hosts on 50 Mbit/s: 0.88 of the
   *  bound with 4, 0.90 with 2 and fewer reports). */
  readonly leaseRunsOfSeveral: number;
  /** Bytes one host of several has outstanding: `leaseRunsPerHost` runs of `leaseRunBytes`. */
  readonly leaseBytesPerHost: number;
  /** Runs one task has outstanding: what a source is asked to bear. */
  readonly sourceStreamsPerTask: number;
  /** Bytes a second that all hosts together are told to read of one task: `--task-source-rate` of the scheduler. */
  readonly sourceBpsPerTask: number;
  /** What such a budget allows at once: a second of it, so that requests are few where it is low. */
  readonly sourceBudgetMs: number;
  /** How fast a source gives is measured over this long: reports come every 200 ms, and five of them are in it. */
  readonly sourceWindowMs: number;
  /** With this share of the most it ever gave a source gives what it can: who takes over a part of a stream then only takes its
   *  share of the same line. */
  readonly sourceFullShare: number;
  /** Nothing reported for this long is a pause of the source: one host that reads long pieces alone reports every 3 s
   *  (`leaseReportMs` of the peer). */
  readonly sourcePauseMs: number;
  /** A lease without progress for this long is granted to somebody else. */
  readonly leaseTtlMs: number;
  /** A lease holder that does not answer another host, and that we did not hear for this long either, may be frozen: it is asked
   *  how far it is. */
  readonly frozenAfterMs: number;
  /** It has so much time to be heard, as a machine that is busy gives a process no time for a second or two: with the 2 s in
   *  which a child finds out, a host that stopped costs less than 3 s. */
  readonly frozenRecheckMs: number;
  /** When this process itself comes so much too late to the look at it, what the host said may wait here unread: it is looked
   *  at once more. */
  readonly lateMs: number;
  /** Longest time to live of a lease. A reader whose leases expire in a row gets twice the time with each, up to this: more
   *  than the 153 s in which a peer finds out itself that a source is silent (5 tries of 30 s). */
  readonly leaseTtlMaxMs: number;
  /** A peer that got nothing for this long, while the source gave nothing to anybody, is told that it is silent: twice what
   *  one reader alone needs to find out. */
  readonly sourceSilentMs: number;
  /** A host the source failed gets no lease of that task for this long. */
  readonly sourceBackoffMs: number;
  /** How fast a host gets pieces is not judged before: many reports, and the first run of a host on 4 Mbit/s. */
  readonly paceKnownMs: number;
  /** Others wait this long for a seed that was told to pull. */
  readonly seedGraceMs: number;
  /** Seeds read alone for so long. When they have more than `leaseSlowMs` to go then, at their pace, others read with them. */
  readonly seedAloneMs: number;
  /** After a restart nothing is granted for this long, so that holders can claim what they read. */
  readonly recoveryGraceMs: number;

  /** Running peers up to which digests are relayed at once; more of them hear in batches. */
  readonly relayAtOncePeers: number;
  /** How long digests are gathered for a bigger herd: so much for each of its peers, and so long at most. Every peer is sent
   *  what every other one read: one by one that is 440 messages for each of 12 hosts (`bench sim`, 128 MiB), gathered so 100. */
  readonly relayMsPerPeer: number;
  readonly relayIntervalMs: number;

  /** A host whose channel dropped, or that said hello and has not stated a task yet, keeps its leases and holdings for
   *  this long. */
  readonly offlineGraceMs: number;
  /** The same once a neighbour cannot reach it either: longer than the first pause of a host that reconnects (250 ms), and two
   *  round trips. */
  readonly goneAfterMs: number;
  /** A host that says nothing for this long is offline: three heartbeats. */
  readonly hostSilentMs: number;
  /** A host that stays away for this long is forgotten with all its peers. */
  readonly hostForgetMs: number;
  /** How long a host that served bad bytes is used by nobody. */
  readonly corruptBanMs: number;
  /** Shortest time between two demands of one host to state everything anew. */
  readonly resyncIntervalMs: number;
  /** Hosts whose time to state their tasks is over in the same step of this length are looked for in the directory together:
   *  after a restart all are. */
  readonly restateStepMs: number;

  /** Rows of the peers of a running task are written this late: they are behind anyway, and many peers share one. */
  readonly peersWriteMs: number;
  /** A task nobody takes part in is removed after this long. */
  readonly idleTaskKeepMs: number;
  /** How often stored tasks that are not in memory are looked through. */
  readonly sweepIntervalMs: number;
  /** Tasks without running peers kept in memory; more are read from the directory when they are asked for. A task of
   *  1,024 pieces with 20 peers takes about 130 KB, all of them 65 MB; a Durable Object has 128 MiB. */
  readonly settledTasksInMemory: number;
  /** Pieces of all tasks in memory at most: each takes 40 bytes once its digest is known. */
  readonly maxPieces: number;
  /** Hosts one shard knows at most. */
  readonly maxHosts: number;
  /** Tasks one host takes part in at most, on one shard. */
  readonly maxTasksPerHost: number;
  /** Messages and bytes that wait for a host which only POSTs; when there are more it must state everything anew. */
  readonly outboxMessages: number;
  readonly outboxBytes: number;
}

export const DEFAULT_POLICY: Policy = Object.freeze({
  heartbeatIntervalMs: 30 * SECOND,
  progressIntervalMs: 200,

  maxNeighbours: 20,
  sameIdcShare: 0.75,
  neighbourSample: 64,
  pullersPerSeed: 4,
  seedsPerTask: 2,
  avoidMs: 30 * SECOND,
  avoidDoublings: 5,
  avoidedPerPeer: 256,
  exchangePauseMs: 10 * SECOND,
  stallMs: 5 * SECOND,

  leaseRunBytes: 16 * MIB,
  leaseLongRunBytes: 256 * MIB,
  leaseLongRunMs: 3 * SECOND,
  leaseShareBytes: 8 * MIB,
  leaseLoneShareBytes: 64 * MIB,
  leaseAskAgainMs: 2 * SECOND,
  leaseSlowMs: 5 * SECOND,
  leaseMuchSooner: 8,
  leaseEndMs: 1500,
  leaseSooner: 2,
  leaseTakenShare: 0.015,
  muchSlower: 4,
  slowRestMs: 2 * SECOND,
  leaseAheadMs: 400,
  leaseCursorBytes: 512 * KIB,
  leaseCursorRuns: 2,
  cursorSample: 16,
  leaseFirstBytes: 256 * KIB,
  leaseStartBytes: 2 * MIB,
  leaseLoneGrowth: 4,
  leaseRunsPerHost: 4,
  leaseRunsOfSeveral: 2,
  leaseBytesPerHost: 64 * MIB,
  sourceStreamsPerTask: 16,
  sourceBpsPerTask: Number.POSITIVE_INFINITY,
  sourceBudgetMs: SECOND,
  sourceWindowMs: SECOND,
  sourceFullShare: 0.5,
  sourcePauseMs: 4 * SECOND,
  leaseTtlMs: 10 * SECOND,
  frozenAfterMs: 1500,
  frozenRecheckMs: 600,
  lateMs: 200,
  leaseTtlMaxMs: 160 * SECOND,
  sourceSilentMs: 10 * MINUTE,
  sourceBackoffMs: 30 * SECOND,
  paceKnownMs: SECOND,
  seedGraceMs: 1500,
  seedAloneMs: SECOND,
  recoveryGraceMs: 2 * SECOND,

  relayAtOncePeers: 4,
  relayMsPerPeer: 4,
  relayIntervalMs: 100,

  offlineGraceMs: 5 * SECOND,
  goneAfterMs: 500,
  hostSilentMs: 90 * SECOND,
  hostForgetMs: 7 * DAY,
  corruptBanMs: 10 * MINUTE,
  resyncIntervalMs: SECOND,
  restateStepMs: SECOND,

  peersWriteMs: 30 * SECOND,
  idleTaskKeepMs: DAY,
  sweepIntervalMs: HOUR,
  settledTasksInMemory: 512,
  maxPieces: 2 * 1024 * 1024,
  maxHosts: 65_536,
  maxTasksPerHost: 16_384,
  outboxMessages: 4096,
  outboxBytes: 8 * MIB,
});
