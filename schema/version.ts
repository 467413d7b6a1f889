import manifest from "../package.json" with { type: "json" };

/** Version of this program, as told to the other side and by `--version`. */
export const VERSION: string = manifest.version;
