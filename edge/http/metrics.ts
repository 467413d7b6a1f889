import { type Metric, prometheusLines } from "../../schema/prometheus.ts";
import type { Stats } from "../../schema/wire/query.ts";
import { TALLY_NAMES, type TallyName } from "../../schema/wire/tallies.ts";

type Row = readonly [name: string, type: Metric["type"], help: string, of: (stats: Stats) => number];

const METRICS: readonly Row[] = [
  ["pantala_shards", "gauge", "Shards of this cluster.", (stats) => stats.shardCount],
  ["pantala_hosts", "gauge", "Hosts the scheduler has met.", (stats) => stats.hostCount],
  [
    "pantala_hosts_online",
    "gauge",
    "Hosts with an open channel or a recent message.",
    (stats) => stats.onlineHostCount,
  ],
  ["pantala_tasks", "gauge", "Tasks the scheduler remembers.", (stats) => stats.taskCount],
  ["pantala_peers_running", "gauge", "Peers that want pieces now.", (stats) => stats.runningPeerCount],
  ["pantala_leases", "gauge", "Leases in force.", (stats) => stats.leaseCount],
  ["pantala_source_bytes_total", "counter", "Bytes hosts read from sources.", (stats) => stats.sourceBytes],
  ["pantala_peer_bytes_total", "counter", "Bytes hosts read from each other.", (stats) => stats.peerBytes],
  ["pantala_messages_in_total", "counter", "Messages from hosts.", (stats) => stats.messagesIn],
  ["pantala_messages_out_total", "counter", "Messages to hosts.", (stats) => stats.messagesOut],
  ["pantala_rows_written_total", "counter", "Rows written to the database.", (stats) => stats.rowsWritten],
];

const TALLIES: Readonly<Record<TallyName, readonly [name: string, help: string]>> = {
  leasesEnded: ["leases_ended", "Leases that ended before all was read."],
  leasesShortened: ["leases_shortened", "Leases whose end was asked back, and those that gave it."],
  leasesRefused: ["leases_refused", "Leases a host stated that it does not have."],
  announcementsRefused: ["announcements_refused", "Tasks a host announced and may not take part in."],
  readersRefused: ["readers_refused", "Hosts told that they cannot have a task."],
  messagesRefused: ["messages_refused", "Messages and frames that were not taken."],
  faultsReported: ["faults_reported", "What hosts said of their parents."],
};

/** Statistics as Prometheus reads them. */
export function prometheusText(stats: Stats): string {
  const plain = METRICS.map(([name, type, help, of]) => prometheusLines({ name, type, help, value: of(stats) }));
  const tallies = TALLY_NAMES.map((tally) => {
    const [what, help] = TALLIES[tally];
    const value = { label: "reason", counts: stats.tallies[tally] };
    return prometheusLines({ name: `pantala_scheduler_${what}_total`, type: "counter", help, value });
  });
  return [...plain, ...tallies].join("");
}
