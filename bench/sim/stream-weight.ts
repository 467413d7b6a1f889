/** What a stream gets of a link beside others: log-normal around 1.
 *  @param unevenness standard deviation of its logarithm */
export function streamWeight(unevenness: number, random: () => number): number {
  if (unevenness === 0) return 1;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(unevenness * normal);
}
