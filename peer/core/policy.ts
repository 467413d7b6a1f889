/** Every number a peer decides by, with its unit and where it comes from. */
export interface TransferPolicy {
  /** Requests one parent serves us at a time, where there are few. Two keep a link busy, four were best over four parents
   *  (field notes 2.4). */
  readonly requestsPerParent: number;
  /** Requests one task has under way at a time, spread over all parents. More of them are slower each, and in a herd pieces
   *  can be traded the later; fewer leave links idle (`bench sim`: 8 and 12 of 24 hosts 88 and 90 % of the bound). */
  readonly requestsPerTask: number;
  /** The same before any piece came: every piece that comes allows one more. Nor are they fewer because some are late. */
  readonly requestsAtFirst: number;
  /** Bytes asked for and not yet kept, over one task. */
  readonly outstandingBytes: number;
  /** A piece in flight for longer is asked of a second parent too, so that a parent that stops costs a second, not a
   *  time-out. */
  readonly hedgeAfterMs: number;
  /** The same of a parent of another site, or a slow one: what crosses twice is lost to others. */
  readonly farHedgeAfterMs: number;
  /** Second requests beyond `requestsPerTask`, when all that is under way is late: a download does not stand still because all of
   *  it sits at slow parents. They go to those who brought their last piece in time: on slow lines, where everybody is late, a
   *  sixth would come twice (`bench sim --slow 0.25`: slow hosts end 8 % later). */
  readonly hedgeRequests: number;
  /** A parent that sends nothing for this long, while a piece of it is awaited, is given up. */
  readonly pieceSilenceMs: number;
  /** When nobody sent anything for this long, and again after twice as long, neighbours are asked whether they are there: a
   *  process that stopped, or a machine that froze, keeps its connections. */
  readonly probeAfterMs: number;
  /** Who does not answer that for this long is given up at once, so that the rest comes from elsewhere. */
  readonly probeSilenceMs: number;
  /** A parent that failed is left alone for this long, doubled with each further failure in a row. */
  readonly parentBackoffMs: number;
  /** So often at most: 250 ms become 16 s, more than what gives it up. */
  readonly parentBackoffDoublings: number;
  /** Longest time for which a parent whose upload slots are busy is left alone, whatever it says. */
  readonly busyRestMaxMs: number;
  /** Failures in a row after which a parent is reported to the scheduler and dropped. */
  readonly parentFailures: number;
  /** The same when nobody listens at its address any more: its process ended, and what it alone had must come from elsewhere. The
   *  first failure is mostly the connection that broke. */
  readonly goneFailures: number;
  /** When nothing came from anybody for this long, parents that owe a piece for as long are given up, however politely they
   *  answer: the rest must come from elsewhere. */
  readonly parentStallMs: number;
  /** How long one wait for news of a parent's pieces lasts. */
  readonly bitfieldWaitMs: number;
  /** Waits for news of all tasks together: half of what Bun lets a process fetch at a time (256), so that they never
   *  keep pieces waiting. Beyond it neighbours are asked every `bitfieldPollMs` in place of waiting. */
  readonly bitfieldWaits: number;
  readonly bitfieldPollMs: number;
  /** Shortest pause between two questions to a neighbour: news of several pieces then come in one answer. */
  readonly newsPauseMs: number;
  /** Questions a host asks all its neighbours together for each piece that it gets, within so many a second: those who trade tell what
   *  they have with each piece (`bench sim --like-herd`, with one and a half, this, and three quarters: 64 hosts on 20 Mbit/s 677, 509 and 445
   *  questions a host, 0.838, 0.832 and 0.832 of the bound; 24 on 50 0.854, 0.849 and 0.829; 24 on 20, 32 MiB, 0.634, 0.619 and 0.594). */
  readonly questionsPerPiece: number;
  readonly fewestQuestionsPerSecond: number;
  readonly mostQuestionsPerSecond: number;
  /** Who knows of no more than so many pieces to ask for asks for news as often as it may (without that 300 hosts that want 32 MiB lose
   *  22 %). */
  readonly hungryPieces: number;
  /** On fast links they are more: one for so many pieces that we get. */
  readonly piecesPerQuestion: number;
  /** Longest pause between two while the neighbour has plenty for us: what it got lately may be rare. */
  readonly newsPauseMaxMs: number;
  /** How often a download exchanges neighbours that gave least for others: BitTorrent tries another unchoked peer as often (BEP 3). It
   *  says so in a report that goes anyhow. */
  readonly exchangeMs: number;
  /** So many of them at a time: a tenth of the neighbours of a peer. */
  readonly exchangedNeighbours: number;
  /** A scheduler that was heard and then gave no ticket for this long is asked again. */
  readonly ticketWaitMs: number;
  /** A ticket is renewed this long before it ends: clocks may differ by as much. */
  readonly ticketRenewMs: number;
  /** A seed that asks for patience is told again after this long, this many times. */
  readonly pullRetryMs: number;
  readonly pullRetries: number;
  /** Without progress and without the scheduler for this long, a download fails. */
  readonly schedulerWaitMs: number;
  /** Without the scheduler for this long, hosts read from the source what falls to them (docs/decisions/0013): one that is
   *  only restarted is back before. */
  readonly ownReadAfterMs: number;
  /** One that got nothing for this long reads nothing that falls to it: it goes to the next. */
  readonly ownerPatienceMs: number;
  /** Who gets nothing for this long, and awaits nothing, asks other sites for all they have. */
  readonly acrossPatienceMs: number;
  /** What one host was to fetch across falls to the next by weight, too, after this long, and so on: the first may not know who has
   *  it. Longer than a host on 4 Mbit/s needs to send four pieces at once: a second copy of each would take its line twice
   *  (`bench sim --like-herd`, 8 hosts on 40 Mbit/s, a quarter slow: worst of 41 herds 1.31 of their calm time with 1.5 s, 1.02 with
   *  4 s; 64 hosts in four zones: 2.1 and 1.3 copies into a zone). */
  readonly acrossTurnMs: number;
  /** Who holds this many times less than the best of its site, and `acrossFewPieces` less than that, is slow or came late: others
   *  are sooner (decision 0019). */
  readonly acrossMuchLess: number;
  readonly acrossFewPieces: number;
  /** Pieces are shared out in runs of this length, or one piece: one request to the source each. */
  readonly ownedRunBytes: number;
  /** Runs that all hosts which know each other read at a time, and one of them at most: as under leases. */
  readonly ownedStreamsPerTask: number;
  readonly ownedStreamsPerHost: number;
  /** How often neighbours are asked meanwhile what they have and read. */
  readonly ownReadLookMs: number;
  /** Time to live of a lease that a host gave itself; the scheduler takes it over when it comes back, or revokes it. */
  readonly ownLeaseTtlMs: number;
  /** How often a download looks after itself: whether it moves, whether a parent has rested. */
  readonly lookAfterMs: number;
  /** What was only got in trade is reported so many times in the time a task takes: nobody waits for it, as for digests and leases. At
   *  the least after `tradeReportMs`, and after as long without a piece; at the most after `tradeReportMaxMs`, so that who looks at
   *  a long download sees it move. The scheduler is told the pause (`quietMs`), or it would take who is silent for stalled. */
  readonly tradeReportsPerTask: number;
  readonly tradeReportMs: number;
  readonly tradeReportMaxMs: number;
  /** A source that sends this much at once has more in the buffers between: we are slower than it. A link of 100 Mbit/s brings that in
   *  8 ms, and a host that is not busy looks more often. To a busy one the first chunk of a stream brings 125 to 400 KB, and further
   *  ones 200 to 524. */
  readonly backlogBytes: number;
  /** How far leases are is reported this late when nothing else is new: well within their time to live. */
  readonly leaseReportMs: number;
  /** Digests come no later (`bench sim`, with 1, this, 2 and 3 s: 8 hosts on 40 Mbit/s in two zones, 128 MiB, 34, 28, 27 and 27 messages a
   *  host, 0.92, 0.90, 0.90 and 0.90 of the bound; 12 on 100, 1 GiB, 82, 64, 55 and 42, 0.964, 0.959, 0.952 and 0.945). */
  readonly digestReportMs: number;
  /** Reports with digests in the time a task takes. Each of them frees pieces for trade: fewer cost time, more cost messages
   *  (`bench sim`, 12 hosts on 100 Mbit/s: 12, 20, 24, 30 and 60 of them 0.88, 0.89, 0.90, 0.91 and 0.92 of the bound, 19, 24, 26,
   *  32 and 41 messages). */
  readonly reportsPerTask: number;
  /** Nor is the pause before one of them longer than this share of the time it took so far: a herd that begins has nothing else
   *  to trade. */
  readonly reportElapsedShare: number;
  /** A silence longer than this is named. */
  readonly stallAfterMs: number;
  /** Share of requests that go for the first missing pieces in order; the rest picks any useful piece, which is what
   *  keeps a herd's pieces diverse (field notes 2.5: streaming in order costs 2-3 %). */
  readonly inOrderShare: number;
  /** The same while somebody reads the content in order: pieces near the cursor first, and enough of the rest to trade
   *  (field notes 2.5: 70-80 %). */
  readonly readerShare: number;
}

export const DEFAULT_TRANSFER_POLICY: TransferPolicy = Object.freeze({
  requestsPerParent: 4,
  requestsPerTask: 12,
  requestsAtFirst: 4,
  outstandingBytes: 64 * 1024 * 1024,
  hedgeAfterMs: 1500,
  farHedgeAfterMs: 2500,
  hedgeRequests: 2,
  pieceSilenceMs: 10_000,
  probeAfterMs: 1000,
  probeSilenceMs: 1000,
  parentBackoffMs: 250,
  parentBackoffDoublings: 6,
  busyRestMaxMs: 2000,
  parentFailures: 5,
  goneFailures: 2,
  parentStallMs: 8000,
  bitfieldWaitMs: 10_000,
  bitfieldWaits: 128,
  bitfieldPollMs: 500,
  newsPauseMs: 40,
  questionsPerPiece: 1,
  fewestQuestionsPerSecond: 7,
  mostQuestionsPerSecond: 25,
  hungryPieces: 6,
  piecesPerQuestion: 2,
  newsPauseMaxMs: 1000,
  exchangeMs: 30_000,
  exchangedNeighbours: 2,
  ticketWaitMs: 5000,
  ticketRenewMs: 60_000,
  pullRetryMs: 1000,
  pullRetries: 5,
  schedulerWaitMs: 20_000,
  ownReadAfterMs: 10_000,
  ownerPatienceMs: 5000,
  acrossPatienceMs: 1500,
  acrossTurnMs: 4000,
  acrossMuchLess: 4,
  acrossFewPieces: 2,
  ownedRunBytes: 1024 * 1024,
  ownedStreamsPerTask: 16,
  ownedStreamsPerHost: 4,
  ownReadLookMs: 1000,
  ownLeaseTtlMs: 10_000,
  lookAfterMs: 250,
  tradeReportsPerTask: 12,
  tradeReportMs: 3000,
  tradeReportMaxMs: 10_000,
  backlogBytes: 96 * 1024,
  leaseReportMs: 3000,
  digestReportMs: 1500,
  reportsPerTask: 24,
  reportElapsedShare: 0.25,
  stallAfterMs: 2000,
  inOrderShare: 0.25,
  readerShare: 0.75,
});

/** Pieces sent at the same time. A few more than one child asks for at a time: then nobody waits for a slot while a link has
 *  room, and yet a rare piece that everybody asks of its only holder comes to some of them early, who pass it on (`bench
 *  sim`, 64 hosts on 20 Mbit/s: 0.77 of the bound with 64, 0.82 with 14; 24 hosts: 0.89 and 0.90; with 8, 0.81). */
export const DEFAULT_MAX_UPLOADS = 14;

export interface UploadPolicy {
  /** A child that was refused a slot asks again after this long while the pace of uploads is not known. */
  readonly retryMs: number;
  /** At the least: a question costs both as much CPU as 64 KiB. At most: a slot is free before, unless uploads are limited. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** It asks again when this share of the slots came free at the pace of late: not all who are refused come back at once. */
  readonly retrySlotsShare: number;
  /** Share of the slots that may be kept free for children which wait with fewer bytes on their way: the other half keeps a link
   *  busy (`bench sim`: half and a quarter come out alike). */
  readonly keptSlotsShare: number;
  /** A child that was refused counts as waiting until it is to ask again, and so much longer: a round trip, and what it does
   *  first. */
  readonly waitGraceMs: number;
  /** Children that are remembered as waiting: more than ask within `retryMaxMs` where each has a few dozen neighbours. */
  readonly waitingChildren: number;
  /** Children whose pieces on their way are counted: as many. */
  readonly countedChildren: number;
  /** A piece counts as on its way for so long while the pace of its child is not known: what one of 256 KiB takes when a line of
   *  20 Mbit/s sends to a dozen children. */
  readonly guessedUploadMs: number;
  /** The pace of a child is measured over so long, and such a share of what was measured last is taken over: longer than what a few
   *  requests at once come in, and four or five of those. */
  readonly uploadPaceMs: number;
  readonly uploadPaceShare: number;
  /** A child that was sent nothing for this long is none any more: a piece takes less, also on a slow line. */
  readonly childMs: number;
  /** Content is taken to be on its way for so long at most: longer than a child takes for a piece that it gets at full speed; one
   *  that is paced is noted again with every grain. */
  readonly longestUploadMs: number;
}

export const DEFAULT_UPLOAD_POLICY: UploadPolicy = Object.freeze({
  retryMs: 250,
  retryMinMs: 50,
  retryMaxMs: 1000,
  retrySlotsShare: 0.25,
  keptSlotsShare: 0.5,
  waitGraceMs: 50,
  waitingChildren: 256,
  countedChildren: 256,
  guessedUploadMs: 1500,
  uploadPaceMs: 100,
  uploadPaceShare: 0.3,
  childMs: 10_000,
  longestUploadMs: 60_000,
});

/** Piece requests of all downloads of a host together. With the waits for news 64 stay below what Bun lets a process
 *  fetch at a time (256), and leave a quarter of it to sources. */
export const DEFAULT_MAX_DOWNLOADS = 64;
/** As many as that may be: those waits take the other half. */
export const MOST_DOWNLOADS = 128;
/** Bytes asked for and not yet kept, over all downloads of a host: two downloads have all they can use, and many share it. */
export const DEFAULT_MEMORY_BUDGET_BYTES = 128 * 1024 * 1024;
