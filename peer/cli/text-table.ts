import { plainText } from "./human.ts";

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Figures stand at the right. */
  readonly right?: boolean;
}

/** Aligned lines under a heading, each ended by a line break; two blanks between columns, none at the end of a line. */
export function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map((column) => column.title), ...rows.map((row) => columns.map((c) => plainText(c.of(row))))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => [...(line[at] ?? "")].length)));
  return lines
    .map((line) => {
      const cells = line.map((cell, at) => {
        const padding = " ".repeat((widths[at] ?? 0) - [...cell].length);
        return columns[at]?.right ? padding + cell : cell + padding;
      });
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}
