import type { Stats } from "../../schema/wire/query.ts";

type Metric = readonly [name: string, type: "gauge" | "counter", help: string, of: (stats: Stats) => number];

const METRICS: readonly Metric[] = [
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

/** Statistics as Prometheus reads them (text exposition format 0.0.4). */
export function prometheusText(stats: Stats): string {
  return METRICS.map(
    ([name, type, help, of]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${of(stats)}\n`,
  ).join("");
}

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
