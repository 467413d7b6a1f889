/** What is simulated, and in what world. */
import { DEFAULT_POLICY, type Policy } from "../../edge/core/policy.ts";
import { DEFAULT_TRANSFER_POLICY, type TransferPolicy } from "../../peer/core/policy.ts";

export interface SimOptions {
  readonly hosts: number;
  readonly sizeBytes: number;
  readonly seed: number;
  /** Of every host, both ways, and of the source. Bytes a second of content: headers are not simulated. */
  readonly rateBps: number;
  readonly sourceBps: number;
  /** The first hosts are seeds, each with a link of its own. */
  readonly seeds: number;
  readonly seedBps: number;
  /** Share of the hosts with a tenth of the rate. */
  readonly slowShare: number;
  /** Share of the hosts that dies at random moments of the least time the herd needs. */
  readonly killShare: number;
  /** Further hosts that die, and when, since the start. */
  readonly deaths: readonly { readonly host: number; readonly afterMs: number }[];
  /** The scheduler dies so long after the start; it hears again so long after that, or never. */
  readonly schedulerDeath?: { readonly afterMs: number; readonly awayMs?: number };
  /** Hosts are in them in turn; the source is in the first. */
  readonly zones: number;
  /** Of the link between each further zone and the first one, each way. */
  readonly zoneBps: number;
  /** One way between a host and the scheduler. */
  readonly controlMs: number;
  /** Between two hosts, and to the source. */
  readonly roundTripMs: number;
  /** What a link holds back while it is in use: so many bytes, and what takes so long. */
  readonly queueBytes: number;
  readonly queueMs: number;
  /** How unevenly streams share a link: standard deviation of the logarithm of their weights. */
  readonly unevenness: number;
  /** How long such a weight lasts. */
  readonly unevenForMs: number;
  /** Streams go over connections of TCP (`SimConnections`); else they begin and end at once. */
  readonly tcp: boolean;
  /** From when a host is asked for the file until it announces it: it asks the source first. */
  readonly openMs: number;
  /** What the source has sent ahead of a reader that cuts a stream off: it counts as read. */
  readonly sentAheadBytes: number;
  /** Share of piece requests that fail. */
  readonly lossShare: number;
  /** Over how long hosts begin: at random moments of it, or evenly one after the other. */
  readonly joinMs: number;
  readonly joinInTurn: boolean;
  readonly policy: Policy;
  readonly transferPolicy: TransferPolicy;
}

export const DEFAULT_SIM: SimOptions = {
  hosts: 1000,
  sizeBytes: 256 * 2 ** 20,
  seed: 1,
  rateBps: 12.5e6,
  sourceBps: 12.5e6,
  seeds: 0,
  seedBps: 12.5e6,
  slowShare: 0,
  killShare: 0,
  deaths: [],
  zones: 1,
  zoneBps: Number.POSITIVE_INFINITY,
  controlMs: 10,
  roundTripMs: 1,
  queueBytes: 0,
  queueMs: 0,
  unevenness: 0,
  unevenForMs: 1000,
  tcp: false,
  openMs: 0,
  sentAheadBytes: 0,
  lossShare: 0,
  joinMs: 100,
  joinInTurn: false,
  policy: DEFAULT_POLICY,
  transferPolicy: DEFAULT_TRANSFER_POLICY,
};

/** Such a host begins when somebody tells it to. */
export function isSeed({ seeds }: SimOptions, host: number): boolean {
  return host < seeds;
}

/** Bytes a second of the link of a host. */
export function rateOf(options: SimOptions, host: number): number {
  if (isSeed(options, host)) return options.seedBps;
  return isSlow(options, host) ? options.rateBps / 10 : options.rateBps;
}

/** The last ones. */
export function isSlow({ hosts, slowShare }: SimOptions, host: number): boolean {
  return host >= hosts - Math.round(hosts * slowShare);
}
