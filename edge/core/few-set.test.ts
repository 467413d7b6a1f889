import { expect, test } from "bun:test";
import fc from "fast-check";
import { FewSet } from "./few-set.ts";

test("a set of a few members is as any other set, and keeps the order", () => {
  const steps = fc.array(fc.record({ adds: fc.boolean(), member: fc.integer({ min: 0, max: 8 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const few = new FewSet<number>();
      const set = new Set<number>();
      for (const { adds, member } of all) {
        if (adds) {
          few.add(member);
          set.add(member);
        } else {
          few.delete(member);
          set.delete(member);
        }
        expect([...few]).toEqual([...set]);
        expect(few.size).toBe(set.size);
        expect(few.has(member)).toBe(adds);
      }
    }),
  );
});
