/** What documents may claim: files that exist, commands, flags, variables and exit codes that the code has. And that
 *  they are finished. */
import { posix } from "node:path";
import type { Found, MarkdownFacts } from "./markdown.ts";

export interface Truth {
  /** Whether a path below the root exists. */
  readonly exists: (path: string) => boolean;
  /** Anchors of a page of ours. */
  readonly anchorsOf: (page: string) => ReadonlySet<string> | undefined;
  /** Names of `bun run` scripts. */
  readonly scripts: ReadonlySet<string>;
  /** `PANTALA_*` variables. */
  readonly variables: ReadonlySet<string>;
  /** Long and short flags of every command, by its words: `pantala task ls`. */
  readonly flags: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Programs started by `bun run NAME` whose flags are known. */
const RUN_AS: Readonly<Record<string, string>> = { peer: "pantala peer", pantala: "pantala", edge: "edge" };
/** A line of a code block for which something was to be put later. */
const PLACEHOLDER = /^[A-Z_]{8,}$/;
const OUR_FOLDERS = /^(schema|edge|peer|migrations|scripts|tests|bench|docs)\/[\w./-]+$/;

/** One line each: where and what. */
export function docBreachesOf(page: string, facts: MarkdownFacts, truth: Truth): string[] {
  const say = ({ line }: Found, what: string): string => `${page}:${line} ${what}`;
  const links = facts.links.flatMap((link) => {
    const fault = linkFault(page, link.text, truth);
    return fault === undefined ? [] : [say(link, fault)];
  });
  const code = facts.code.flatMap((found) => codeFaults(found.text, truth).map((fault) => say(found, fault)));
  const placeholders = facts.blocks
    .filter(({ text }) => PLACEHOLDER.test(text) && !truth.variables.has(text))
    .map((found) => say(found, `has the placeholder ${found.text}: write what stands for it`));
  return [...links, ...code, ...placeholders];
}

function linkFault(page: string, target: string, truth: Truth): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : posix.join(posix.dirname(page), path);
  if (!truth.exists(file)) return `links to ${target}: there is no ${file}`;
  if (anchor === undefined || !file.endsWith(".md") || truth.anchorsOf(file)?.has(anchor)) return undefined;
  return `links to ${target}: ${file} has no such heading`;
}

function codeFaults(code: string, truth: Truth): string[] {
  const faults: string[] = [];
  if (OUR_FOLDERS.test(code) && !truth.exists(code)) faults.push(`names ${code}: there is no such file`);
  for (const [variable] of code.matchAll(/\bPANTALA_[A-Z0-9_]*[A-Z0-9]\b/g)) {
    if (!truth.variables.has(variable)) faults.push(`names ${variable}: no setting has this variable`);
  }
  const [, script] = /(?:^|\s)bun run ([a-z][\w:-]*)/.exec(code) ?? [];
  if (script !== undefined && !truth.scripts.has(script))
    faults.push(`names bun run ${script}: package.json has no such script`);
  return [...faults, ...commandFaults(code, truth)];
}

/** Checks `pantala get URL --flag` and `bun run edge --flag`. */
function commandFaults(code: string, truth: Truth): string[] {
  const [, ours, script, rest = ""] = /(?:^|\s|\$ )(?:(pantala)|bun run ([a-z]+))(?=\s|$)(.*)$/.exec(code) ?? [];
  let command = ours ?? (script === undefined ? undefined : RUN_AS[script]);
  if (command === undefined) return [];
  // What follows a pipe, a comment or a semicolon is another command.
  const words = (rest.split(/\s[#|&;>]/)[0] ?? "").split(/\s+/).filter((word) => word !== "");
  while (words[0] !== undefined && truth.flags.has(`${command} ${words[0]}`)) command = `${command} ${words.shift()}`;
  const hasCommands = [...truth.flags.keys()].some((name) => name.startsWith(`${command} `));
  const [next] = words;
  if (hasCommands && next !== undefined && /^[a-z]+$/.test(next))
    return [`names ${command} ${next}: there is no such command`];
  const known = truth.flags.get(command);
  return words
    .map((word) => /^(--?[a-z][a-z-]*)/i.exec(word)?.[1])
    .filter((flag) => flag !== undefined && known?.has(flag) !== true)
    .map((flag) => `names ${flag}: ${command} has no such flag`);
}
