/** What a peer counts, as Prometheus reads it: docs/operations.md, "Metrics of a peer". Label values are names of ours. */
import { type Metric, prometheusLines } from "../../schema/prometheus.ts";
import type { LocalStatus } from "../../schema/wire/local.ts";

type Row = readonly [
  name: string,
  type: Metric["type"],
  help: string,
  of: (status: LocalStatus) => number | readonly [label: string, counts: Readonly<Record<string, number>>],
];

const METRICS: readonly Row[] = [
  ["scheduler_connected", "gauge", "Whether the scheduler is heard.", ({ scheduler }) => Number(scheduler.connected)],
  ["tasks", "gauge", "Tasks kept here, by state.", (status) => ["state", tasksOf(status)]],
  ["parents", "gauge", "Hosts that are asked for pieces now.", ({ parentCount }) => parentCount],
  ["children", "gauge", "Hosts that were sent pieces in the last 10 s.", ({ childCount }) => childCount],
  ["uploads", "gauge", "Pieces being sent now.", ({ load }) => load.activeUploads],
  ["stored_bytes", "gauge", "Bytes of tasks kept here.", ({ load }) => load.storedBytes],
  ["free_bytes", "gauge", "Room for more of them.", ({ load }) => load.freeBytes],
  ["resident_bytes", "gauge", "Memory of the process.", ({ load }) => load.residentBytes],
  [
    "received_bytes_total",
    "counter",
    "Verified bytes by where they came from; local ones were here already.",
    ({ receivedBytes }) => ["origin", receivedBytes],
  ],
  ["served_bytes_total", "counter", "Bytes of pieces sent to other hosts.", ({ servedBytes }) => servedBytes],
  [
    "requests_refused_total",
    "counter",
    "Requests of other hosts that were not served, by reason.",
    ({ requestsRefused }) => ["reason", requestsRefused],
  ],
  [
    "parent_failures_total",
    "counter",
    "Requests of this host that others did not serve, by reason.",
    ({ parentFailures }) => ["reason", parentFailures],
  ],
  [
    "hedges_total",
    "counter",
    "Second requests for pieces that were late: begun, and first to bring the piece.",
    ({ hedges: { asked, won } }) => ["event", { asked, won }],
  ],
  ["double_bytes_total", "counter", "Bytes that came twice for them.", ({ hedges }) => hedges.doubleBytes],
  [
    "pieces_corrupt_total",
    "counter",
    "Pieces that came with other bytes than their digests say.",
    ({ piecesCorrupt }) => piecesCorrupt,
  ],
  [
    "neighbours_lost_total",
    "counter",
    "Neighbours given up and reported, by reason.",
    ({ neighboursLost }) => ["reason", neighboursLost],
  ],
];

export function peerMetrics(status: LocalStatus): string {
  return METRICS.map(([name, type, help, of]) => {
    const value = of(status);
    const read = typeof value === "number" ? value : { label: value[0], counts: value[1] };
    return prometheusLines({ name: `pantala_peer_${name}`, type, help, value: read });
  }).join("");
}

function tasksOf({ taskCount, runningTaskCount, completeTaskCount }: LocalStatus): Record<string, number> {
  const partial = taskCount - runningTaskCount - completeTaskCount;
  return { running: runningTaskCount, complete: completeTaskCount, partial };
}
