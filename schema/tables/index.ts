export { hosts } from "./hosts.ts";
export { peers } from "./peers.ts";
export { pieceDigests, tasks } from "./tasks.ts";
