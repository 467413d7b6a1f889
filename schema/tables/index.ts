export { hosts } from "./hosts.ts";
export { peers } from "./peers.ts";
export { DIGESTS_PER_CHUNK, pieceDigests, tasks } from "./tasks.ts";
