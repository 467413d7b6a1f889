export { hosts } from "./hosts.ts";
export { peerPacks } from "./peer-packs.ts";
export { pieceDigests, tasks } from "./tasks.ts";
