import { z } from "zod";

/** A count a person writes: in a flag or variable as text, in YAML as a number. */
export const wholeNumber = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z
    .union([z.number(), z.string().regex(/^\s*\d{1,15}\s*$/, { error })], { error })
    .transform(Number)
    .pipe(z.int({ error }).min(least, { error }).max(most, { error }));
};
