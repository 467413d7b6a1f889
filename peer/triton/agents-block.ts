/** The agent `dragonfly` in a `config.pbtxt`: Triton loads no model that names it where its library is not installed. */
import { type PbtxtField, type PbtxtValue, pbtxtFields } from "./pbtxt-fields.ts";

const AGENT = "dragonfly";

/** The text without the agent; nothing when it does not name it, or cannot be read. Other agents stay. */
export function withoutDragonflyAgent(text: string): string | undefined {
  const blocks = pbtxtFields(text)?.filter(({ name }) => name === "model_repository_agents") ?? [];
  const edits = blocks.flatMap((block) => editsIn(block, text));
  if (edits.length === 0) return undefined;
  let rest = text;
  for (const { start, end, kept } of edits.toSorted((a, b) => b.start - a.start)) {
    rest = rest.slice(0, start) + kept + rest.slice(end);
  }
  return rest;
}

/** What stands in the place of a part of the text. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly kept: string;
}

function editsIn(block: PbtxtField, text: string): Edit[] {
  const agents = block.values.flatMap(({ fields }) => fields).filter(({ name }) => name === "agents");
  const all = agents.flatMap(({ values }) => values);
  const others = all.filter((agent) => !isDragonfly(agent));
  if (others.length === all.length) return [];
  if (others.length === 0) return [{ start: block.start, end: block.end, kept: "" }];
  return agents.flatMap(({ start, end, values }) => {
    const staying = values.filter((agent) => !isDragonfly(agent));
    if (staying.length === values.length) return [];
    if (staying.length === 0) return [{ start, end, kept: "" }];
    const kept = staying.map((agent) => text.slice(agent.start, agent.end)).join(", ");
    return [{ start: values[0]?.start ?? start, end: values.at(-1)?.end ?? end, kept }];
  });
}

function isDragonfly({ fields }: PbtxtValue): boolean {
  return fields.some(({ name, values }) => name === "name" && values[0]?.text === AGENT);
}
