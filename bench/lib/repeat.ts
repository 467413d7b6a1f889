/** Runs ours and the reference in turns, each going first every other time, so that neither always finds the machine as
 *  the other left it. */
export interface Pair<Ours, Reference> {
  readonly ours: Ours;
  readonly reference: Reference;
}

export async function inTurns<Ours, Reference>(
  runs: number,
  ours: (run: number) => Promise<Ours>,
  reference: (run: number) => Promise<Reference>,
): Promise<Pair<Ours, Reference>[]> {
  const pairs: Pair<Ours, Reference>[] = [];
  for (let run = 0; run < runs; run++) {
    if (run % 2 === 0) {
      const own = await ours(run);
      pairs.push({ ours: own, reference: await reference(run) });
    } else {
      const other = await reference(run);
      pairs.push({ ours: await ours(run), reference: other });
    }
  }
  return pairs;
}
