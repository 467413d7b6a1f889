/** A bucket of a store, or the beginning of names in one: `s3://models`, `s3://models/prod/`. */
export const STORE_PREFIX = /^(?:s3|oss|obs|cos|gs|as|abs|hf):\/\/[^/\s]+(\/.*)?$/;
