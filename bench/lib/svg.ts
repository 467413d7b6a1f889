/** What the charts of benches share: a white page with a title, and text that is safe in XML. */
export interface SvgPage {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** Under the title: how it was measured. */
  readonly subtitle: string;
}

export const INK = { text: "#1c2430", quiet: "#5a6576", line: "#c4cad4" } as const;

export function svgPage({ width, height, title, subtitle }: SvgPage, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="14" fill="${INK.text}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="24" y="36" font-size="20" font-weight="bold">${escaped(title)}</text>
<text x="24" y="60" fill="${INK.quiet}">${escaped(subtitle)}</text>
${body}</svg>
`;
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
