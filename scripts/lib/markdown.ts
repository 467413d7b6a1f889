/** The parts of a Markdown page that can be checked against the code. */

export interface Found {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface MarkdownFacts {
  /** Targets of links and images, as written. */
  readonly links: readonly Found[];
  /** Contents of code spans, and lines of code blocks. */
  readonly code: readonly Found[];
  /** Lines of code blocks alone. */
  readonly blocks: readonly Found[];
  /** Anchors of the headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
}

export function markdownFactsOf(text: string): MarkdownFacts {
  const links: Found[] = [];
  const code: Found[] = [];
  const blocks: Found[] = [];
  const anchors = new Set<string>();
  let fence: string | undefined;
  text.split("\n").forEach((content, at) => {
    const line = at + 1;
    const [, mark] = /^\s*(```+|~~~+)/.exec(content) ?? [];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return;
    }
    if (fence !== undefined || /^ {4}\S/.test(content)) {
      blocks.push({ text: content.trim(), line });
      code.push({ text: content.trim(), line });
      return;
    }
    for (const [, span = ""] of content.matchAll(/`([^`]+)`/g)) code.push({ text: span, line });
    const prose = content.replaceAll(/`[^`]*`/g, "code");
    for (const [, target = ""] of prose.matchAll(/\]\(([^()\s]+)\)/g)) links.push({ text: target, line });
    const [, heading] = /^#{1,6}\s+(.*)$/.exec(content) ?? [];
    if (heading !== undefined) anchors.add(anchorOf(heading));
  });
  return { links, code, blocks, anchors };
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}
