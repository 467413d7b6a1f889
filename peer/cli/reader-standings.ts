/** What a host that wants a task is to the scheduler, in words: docs/operations.md, "Why it waits". */
import type { ReaderStanding } from "../../schema/wire/explain.ts";

export const READER_STANDING_WORDS: Readonly<Record<ReaderStanding, string>> = {
  reads: "it has leases",
  next: "it is given a lease with the next report",
  "all-held": "others hold all that is missing: it trades",
  "all-leased": "others read all that nobody holds",
  "no-streams-left": "the source is read in as many streams as it is asked to bear",
  "budget-spent": "the source is read as fast as the scheduler was told to let it be",
  "seed-first": "seeds read the source, and the others trade",
  "awaits-seed": "a seed was told, and may come",
  slow: "others have much faster lines, and read for it",
  recovering: "the scheduler was restarted, and hears first who reads what",
  "source-failed": "the source failed it",
  "backs-off": "it gave its leases back",
  expired: "its lease showed no progress in time",
  frozen: "its lease showed no progress in time, and it was not heard since",
  banned: "it served bytes that differ from their digests",
  unstated: "it has yet to state what it holds",
  away: "its channel dropped, and it may come back",
};
