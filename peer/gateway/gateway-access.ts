/** What the gateway serves, and to whom. */

export interface GatewayBucket {
  readonly name: string;
  /** A bucket of a store, or a prefix in one: `s3://models/prod/`. */
  readonly location: string;
  /** Everybody who reaches the gateway may read it. */
  readonly anonymous: boolean;
}

export interface GatewayKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Names of the buckets it may read; all when absent. */
  readonly buckets?: readonly string[] | undefined;
}

export interface GatewayAccess {
  readonly buckets: readonly GatewayBucket[];
  readonly keys: readonly GatewayKey[];
  /** `BUCKET.domain` names a bucket, too. */
  readonly domain: string | undefined;
  /** How long answers of stores are shared; 0: not at all. */
  readonly cacheMs: number;
}
