/** What requests are signed with. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** Keys that may be replaced in the course of time. */
export interface KeyHolder {
  /** As they were last. */
  readonly latest: S3Keys;
  /** Renewed when that is due.
   *  @throws ProblemError `source-forbidden` when they cannot be */
  fresh(): Promise<S3Keys>;
}

export function fixedKeys(keys: S3Keys): KeyHolder {
  return { latest: keys, fresh: async () => keys };
}
