// Written by scripts/bundle-migrations.ts from the SQL files beside it. Do not edit.

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

export const migrations: readonly Migration[] = [
  {
    name: "0000_first",
    statements: [
      "CREATE TABLE `hosts` (\n\t`host_id` text PRIMARY KEY NOT NULL,\n\t`hostname` text NOT NULL,\n\t`role` text NOT NULL,\n\t`address` text NOT NULL,\n\t`idc` text NOT NULL,\n\t`location` text NOT NULL,\n\t`version` text NOT NULL,\n\t`started_at_ms` integer NOT NULL,\n\t`last_seen_at_ms` integer NOT NULL,\n\t`banned_until_ms` integer\n)",
      "CREATE TABLE `peers` (\n\t`task_id` text NOT NULL,\n\t`host_id` text NOT NULL,\n\t`state` text NOT NULL,\n\t`bitfield` blob NOT NULL,\n\t`source_bytes` integer NOT NULL,\n\t`peer_bytes` integer NOT NULL,\n\t`problem_code` text,\n\t`problem_message` text,\n\t`updated_at_ms` integer NOT NULL,\n\tPRIMARY KEY(`task_id`, `host_id`)\n)",
      "CREATE INDEX `peers_by_host` ON `peers` (`host_id`)",
      "CREATE TABLE `piece_digests` (\n\t`task_id` text NOT NULL,\n\t`chunk` integer NOT NULL,\n\t`known` blob NOT NULL,\n\t`digests` blob NOT NULL,\n\tPRIMARY KEY(`task_id`, `chunk`)\n)",
      "CREATE TABLE `tasks` (\n\t`task_id` text PRIMARY KEY NOT NULL,\n\t`url` text NOT NULL,\n\t`tag` text NOT NULL,\n\t`application` text NOT NULL,\n\t`version` text NOT NULL,\n\t`size_bytes` integer NOT NULL,\n\t`piece_length_bytes` integer NOT NULL,\n\t`ranged` integer NOT NULL,\n\t`state` text NOT NULL,\n\t`created_at_ms` integer NOT NULL,\n\t`updated_at_ms` integer NOT NULL\n)",
    ],
  },
  {
    name: "0001_peer_packs",
    statements: [
      "CREATE TABLE `peer_packs` (\n\t`task_id` text NOT NULL,\n\t`pack` integer NOT NULL,\n\t`host_ids` text NOT NULL,\n\t`peers` blob NOT NULL,\n\tPRIMARY KEY(`task_id`, `pack`)\n)",
      "DROP TABLE `peers`",
    ],
  },
];
