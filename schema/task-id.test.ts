import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { TASK_ID_PATTERN } from "./ids.ts";
import { type TaskIdentity, taskIdOf } from "./task-id.ts";

const IDENTITY: TaskIdentity = {
  location: "s3://amazonaws.com/models/a%20b",
  tag: "nightly",
  application: "triton",
  version: 'etag:"abc"',
  sizeBytes: 1_073_741_824,
};

test("taskIdOf() is SHA-256 over fields that each follow their length in four bytes", async () => {
  const fields = ["pantala-task-1", IDENTITY.location, "nightly", "triton", 'etag:"abc"', "1073741824", ""];
  const hash = createHash("sha256");
  for (const field of fields) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(field));
    hash.update(length).update(field);
  }
  expect(await taskIdOf(IDENTITY)).toBe(hash.digest("hex") as Awaited<ReturnType<typeof taskIdOf>>);
});

test("taskIdOf() stays what it is: an id of another release would split every task in two", async () => {
  expect(String(await taskIdOf(IDENTITY))).toBe("ffb5c6d26266f224e1e05f5b84fab388bbafc90b9c3412167b55e6887d1dd82a");
});

const text = fc.string({ maxLength: 8 });
const identity = fc
  .record({
    location: text,
    tag: text,
    application: text,
    version: text,
    sizeBytes: fc.nat(20),
    userPieceLengthBytes: fc.option(fc.nat(20), { nil: undefined }),
  })
  .map(({ userPieceLengthBytes, ...rest }) =>
    userPieceLengthBytes === undefined ? rest : { ...rest, userPieceLengthBytes },
  );

test("taskIdOf() is the same for the same identity, and another for any other", async () => {
  await fc.assert(
    fc.asyncProperty(identity, identity, async (one, other) => {
      const [id, again, different] = await Promise.all([taskIdOf(one), taskIdOf({ ...one }), taskIdOf(other)]);
      expect(id).toMatch(TASK_ID_PATTERN);
      expect(again).toBe(id);
      expect(different === id).toBe(JSON.stringify(Object.entries(one)) === JSON.stringify(Object.entries(other)));
    }),
  );
});

test("taskIdOf() does not let a character move from one field into the next", async () => {
  const joined = fc.tuple(fc.string({ minLength: 1, maxLength: 6 }), fc.nat(6), fc.nat(6));
  await fc.assert(
    fc.asyncProperty(joined, async ([letters, one, other]) => {
      const cut = (at: number) => ({ ...IDENTITY, tag: letters.slice(0, at), application: letters.slice(at) });
      const same = cut(one).tag === cut(other).tag;
      expect((await taskIdOf(cut(one))) === (await taskIdOf(cut(other)))).toBe(same);
    }),
  );
});
