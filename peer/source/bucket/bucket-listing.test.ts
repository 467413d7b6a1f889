import { expect, test } from "bun:test";
import { pagesOf, problemIn, sourceOpener } from "../../../tests/fixtures/opened-source.ts";

const XML = (inside: string) => `<ListBucketResult>${inside}</ListBucketResult>`;
const KEYS = (...keys: string[]) => keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join("");
const ERROR = (code: string) => `<Error><Code>${code}</Code></Error>`;

/** A store that answers by the query. */
function storeThat(answer: (query: URLSearchParams) => { readonly status?: number; readonly body: string }) {
  const asked: string[] = [];
  const { openFolder, waits } = sourceOpener({
    fetch: async (url) => {
      asked.push(url.search);
      const { status = 200, body } = answer(url.searchParams);
      return new Response(body, { status });
    },
  });
  const store = { endpoint: "http://store.example", anonymous: true };
  return { asked, waits, open: (url = "s3://bucket/") => openFolder(url, { store }) };
}

test.each([
  { status: 501, body: ERROR("NotImplemented") },
  { status: 400, body: ERROR("InvalidArgument") },
])("a listing goes by the first version where the store answers %j to the second", async (refusal) => {
  const { asked, waits, open } = storeThat((query) => {
    if (query.has("list-type")) return refusal;
    return query.has("marker")
      ? { body: XML(KEYS("c")) }
      : { body: XML(`<IsTruncated>true</IsTruncated>${KEYS("a", "b")}`) };
  });
  const pages = await pagesOf(await open(), { maxKeys: 2 });
  expect(pages.flatMap((page) => page.objects.map(({ key }) => key))).toEqual(["a", "b", "c"]);
  expect(asked.filter((query) => query.includes("list-type=2"))).toHaveLength(1);
  expect(asked.at(-1)).toContain("marker=b");
  expect(waits).toEqual([]);
});

test("a listing is asked for again when the store is busy", async () => {
  let count = 0;
  const { waits, open } = storeThat(() =>
    ++count < 3 ? { status: 503, body: ERROR("SlowDown") } : { body: XML(`<KeyCount>1</KeyCount>${KEYS("a")}`) },
  );
  expect(await pagesOf(await open())).toMatchObject([{ objects: [{ key: "a" }] }]);
  expect(waits).toEqual([500, 1000]);
});

test("a listing that makes no sense, or never ends, is not believed", async () => {
  const { open } = storeThat(() => ({ body: "<html>Sign in</html>" }));
  expect((await problemIn(open().then(pagesOf))).toProblem()).toMatchObject({ code: "source-lied" });
  const endless = storeThat(() => ({ body: XML(" ".repeat(9 * 1024 * 1024)) }));
  expect((await problemIn(endless.open().then(pagesOf))).code).toBe("source-lied");
});

test("a listing sorts what a store gives in another order", async () => {
  const { open } = storeThat(() => ({ body: XML(`<KeyCount>3</KeyCount>${KEYS("🙂", "～", "a")}`) }));
  const [page] = await pagesOf(await open());
  expect(page?.objects.map(({ key }) => key)).toEqual(["a", "～", "🙂"]);
});

test.each(["b+b", "", "elsewhere"])(
  "a listing goes on behind its last name where the store says the marker %j",
  async (said) => {
    const { asked, open } = storeThat((query) => {
      if (query.has("marker")) return { body: XML(KEYS("c")) };
      const names =
        "<Contents><Key>a</Key><Size>1</Size></Contents><CommonPrefixes><Prefix>b%2Bb/</Prefix></CommonPrefixes>";
      return {
        body: XML(
          `<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextMarker>${said}</NextMarker>${names}`,
        ),
      };
    });
    await pagesOf(await open(), { delimiter: "/" });
    expect(new URLSearchParams(asked.at(-1)).get("marker")).toBe("b+b/\u{10ffff}");
  },
);
