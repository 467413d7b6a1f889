/** Counts and gauges as Prometheus reads them: text exposition format 0.0.4. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** One number, or one for each value of a label. Values are names of ours: nothing is escaped. */
  readonly value: number | { readonly label: string; readonly counts: Readonly<Record<string, number>> };
}

export function prometheusLines({ name, type, help, value }: Metric): string {
  const head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  if (typeof value === "number") return `${head}${name} ${value}\n`;
  const lines = Object.entries(value.counts).map(([of, count]) => `${name}{${value.label}="${of}"} ${count}\n`);
  return head + lines.join("");
}
