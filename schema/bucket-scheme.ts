/** Schemes of URLs whose key is all that follows the bucket, taken literally. */
export const BUCKET_SCHEMES: readonly string[] = ["s3", "oss", "obs", "cos", "gs", "as", "abs", "hf"];
