import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SIGNATURE_PROFILES, type SignatureProfile } from "./signature-profile.ts";
import { canonicalLocation, displayText, displayUrl } from "./source-location.ts";

const at = (text: string, filteredQueryParams?: readonly string[]) =>
  canonicalLocation(new URL(text), filteredQueryParams === undefined ? {} : { filteredQueryParams });

test.each([
  ["http://user:password@Example.COM:80/a/../b?x=1#part", "http://example.com/b?x=1"],
  ["https://example.com:8443/a%20b/%7E", "https://example.com:8443/a%20b/%7E"],
  ["https://example.com/a?", "https://example.com/a"],
  ["https://example.com/a?b=2&a=1&b=3", "https://example.com/a?b=2&a=1&b=3"],
  ["https://example.com/a?q=a+b%2Bc", "https://example.com/a?q=a+b%2Bc"],
  ["https://example.com/a?st=2&sp=1&Expires=3&Signature=x", "https://example.com/a?st=2&sp=1&Expires=3&Signature=x"],
  [
    "https://b.s3.amazonaws.com/k?versionId=7&X-Amz-Signature=s&x-amz-date=d",
    "https://b.s3.amazonaws.com/k?versionId=7",
  ],
  ["https://b.s3.amazonaws.com/k?X%2DAmz%2DSignature=s&X-Amz-Date=d", "https://b.s3.amazonaws.com/k"],
  [
    "https://a.blob.core.windows.net/c/b?snapshot=1&sv=2&sr=b&sig=s&se=3",
    "https://a.blob.core.windows.net/c/b?snapshot=1",
  ],
  ["https://example.com/a?%zz=1&=2", "https://example.com/a?%zz=1&=2"],
])("canonicalLocation(%s)", (url, location) => {
  expect(at(url)).toBe(location);
});

test("canonicalLocation() drops the parameters it is told, in any case, in place of those of profiles", () => {
  const url = "https://example.com/a?Token=1&id=2&X-Amz-Signature=3";
  expect(at(url, ["TOKEN"])).toBe("https://example.com/a?id=2&X-Amz-Signature=3");
  expect(at(url, [])).toBe(url);
});

const segment = fc
  .stringMatching(/^[a-zA-Z0-9_~%.-]{0,8}$/)
  .filter((part) => !/^(\.|%2e){1,2}$/i.test(part) && !/%(?![0-9a-f]{2})/i.test(part));
const word = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,8}$/);
/** Names that no profile knows. */
const ownName = word.map((name) => `own-${name}`);
const object = fc.record({
  host: fc.constantFrom("one.example", "two.example:8080"),
  path: fc.array(segment, { minLength: 1, maxLength: 3 }),
  query: fc.array(fc.tuple(ownName, word), { maxLength: 3 }),
});
type ObjectUrl = typeof object extends fc.Arbitrary<infer Value> ? Value : never;

function pairsOf({ query }: ObjectUrl): string[] {
  return query.map(([name, value]) => `${name}=${value}`);
}

function plainUrl(given: ObjectUrl, pairs = pairsOf(given)): string {
  return `https://${given.host}/${given.path.join("/")}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`;
}

/** The object's URL with one profile's parameters, in any order and case, among its own. */
function signed(given: ObjectUrl, profile: SignatureProfile) {
  const optional = profile.parameters.filter((name) => !profile.markers.includes(name));
  return fc
    .tuple(fc.subarray(optional), fc.infiniteStream(word), fc.infiniteStream(fc.nat(1000)), fc.boolean())
    .map(([extra, values, places, upper]) => {
      const pairs = pairsOf(given);
      for (const name of [...profile.markers, ...extra]) {
        const pair = `${upper ? name.toUpperCase() : name}=${values.next().value}`;
        pairs.splice(places.next().value % (pairs.length + 1), 0, pair);
      }
      return plainUrl(given, pairs);
    });
}

describe.each(SIGNATURE_PROFILES.map((profile) => [profile.name, profile] as const))("signed by %s", (_, profile) => {
  test("two URLs of one object have one location, that of the plain URL", () => {
    const twice = object.chain((given) => fc.tuple(fc.constant(given), signed(given, profile), signed(given, profile)));
    fc.assert(
      fc.property(twice, ([given, one, other]) => {
        expect(at(one)).toBe(at(other));
        expect(at(one)).toBe(at(plainUrl(given)));
      }),
    );
  });

  test("two objects never have one location", () => {
    const both = fc
      .tuple(object, object)
      .chain(([one, other]) =>
        fc.tuple(fc.constant([one, other] as const), signed(one, profile), signed(other, profile)),
      );
    fc.assert(
      fc.property(both, ([[one, other], signedOne, signedOther]) => {
        expect(at(signedOne) === at(signedOther)).toBe(plainUrl(one) === plainUrl(other));
      }),
    );
  });

  test("its parameters are content where a marker is missing", () => {
    fc.assert(
      fc.property(
        object,
        fc.constantFrom(...profile.markers),
        fc.subarray([...profile.parameters]),
        (given, missing, names) => {
          const others = SIGNATURE_PROFILES.flatMap(({ markers }) => markers);
          const kept = names.filter((name) => name !== missing && !others.includes(name));
          const url = plainUrl(given, [...pairsOf(given), ...kept.map((name) => `${name}=1`)]);
          expect(at(url)).toBe(url);
        },
      ),
    );
  });
});

test("displayUrl() shows neither user info nor query", () => {
  const url = new URL("https://user:password@example.com/a%20b?sig=secret#part");
  expect(displayUrl(url)).toBe("https://example.com/a%20b?…");
  expect(displayUrl(new URL("https://example.com/a"))).toBe("https://example.com/a");
  expect(displayUrl(new URL("https://example.com/a#token"))).toBe("https://example.com/a");
});

test("displayUrl() shows the whole key of a bucket's object, which `#` does not end", () => {
  expect(displayUrl(new URL("oss://bkt/a#b.bin"))).toBe("oss://bkt/a#b.bin");
  expect(displayUrl(new URL("s3://bkt/a#b.bin"))).toBe("s3://bkt/a#b.bin");
  expect(displayUrl(new URL("s3://bkt/a?X-Amz-Signature=secret#b"))).toBe("s3://bkt/a?…");
});

test("displayText() is bounded and holds no control characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 50 }), (name) => {
      expect(displayText(name)).toMatch(/^\P{Cc}*$/u);
    }),
  );
  expect(displayText("x".repeat(5000))).toHaveLength(4096);
});
