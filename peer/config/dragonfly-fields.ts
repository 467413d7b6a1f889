/** Fields that Dragonfly's plugins for model servers share. */
import { z } from "zod";
import { textField } from "../../schema/wire/fields.ts";

/** Names of query parameters: a list whose entries may hold several, or one text, parted by `&` (or a comma). The
 *  documents write all of these. */
export const filterField = z
  .union([z.string().transform((text) => [text]), z.array(z.string())], {
    error: "must be a list of names, or one text with & between them",
  })
  .transform((entries) => entries.flatMap((entry) => entry.split(/[&,]/)).map((name) => name.trim()))
  .transform((names) => names.filter((name) => name !== ""))
  .pipe(z.array(textField(256)).max(256));

/** Header names and values for requests to the store. */
export const headerField = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/, "must be a header name"),
    z.union([textField(8192), z.number(), z.boolean()], { error: "must be a text" }).transform(String),
    { error: "must be a mapping of names to texts" },
  )
  .default({});

/** `http://host:port` of a Dragonfly peer's proxy. */
export const proxyAddressField = z.url({
  protocol: /^https?$/,
  error: "must be an address such as http://127.0.0.1:65001",
});

const missing = (issue: { readonly input?: unknown }) => (issue.input === undefined ? "is missing" : "must be a text");

/** A text that must be there. */
export const requiredField = (most: number) =>
  z
    .string({ error: missing })
    .min(1, "must not be empty")
    .max(most)
    .regex(/^\P{Cc}*$/u, "must not hold control characters");

/** An endpoint with its scheme or, as vendors print it, without. */
export const endpointField = z
  .string({ error: missing })
  .transform((text) => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || text === "" ? text : `https://${text}`))
  .pipe(
    z.url({ protocol: /^https?$/, error: "must be an address such as https://oss-cn-hangzhou.aliyuncs.com" }).max(1024),
  );
