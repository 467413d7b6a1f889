/** Which region a bucket is in, as the store itself says when a request was signed for another one. */

const REGION = /^[a-z0-9][a-z0-9-]{0,63}$/;
const MAX_REMEMBERED = 1000;

/** Bounded; the bucket that was learned first is forgotten first. */
export class RegionMemory {
  readonly #regions = new Map<string, string>();

  get(bucket: string): string | undefined {
    return this.#regions.get(bucket);
  }

  learn(bucket: string, region: string): void {
    this.#regions.delete(bucket);
    this.#regions.set(bucket, region);
    const oldest = this.#regions.keys().next().value;
    if (this.#regions.size > MAX_REMEMBERED && oldest !== undefined) this.#regions.delete(oldest);
  }
}

const TELLING_STATUSES = new Set([301, 307, 400, 403]);

export function mayNameRegion(response: Response): boolean {
  return TELLING_STATUSES.has(response.status);
}

/** `x-amz-bucket-region`, or the `Region` in the body of an AuthorizationHeaderMalformed error. */
export function regionNamedBy(headers: Headers, body: string): string | undefined {
  const named = headers.get("x-amz-bucket-region") ?? /<Region>([^<]*)<\/Region>/.exec(body)?.[1] ?? "";
  return REGION.test(named) ? named : undefined;
}
