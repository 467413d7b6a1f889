CREATE TABLE `hosts` (
	`host_id` text PRIMARY KEY NOT NULL,
	`hostname` text NOT NULL,
	`role` text NOT NULL,
	`address` text NOT NULL,
	`idc` text NOT NULL,
	`location` text NOT NULL,
	`version` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`last_seen_at_ms` integer NOT NULL,
	`banned_until_ms` integer
);
--> statement-breakpoint
CREATE TABLE `peers` (
	`task_id` text NOT NULL,
	`host_id` text NOT NULL,
	`state` text NOT NULL,
	`bitfield` blob NOT NULL,
	`source_bytes` integer NOT NULL,
	`peer_bytes` integer NOT NULL,
	`problem_code` text,
	`problem_message` text,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`task_id`, `host_id`)
);
--> statement-breakpoint
CREATE INDEX `peers_by_host` ON `peers` (`host_id`);--> statement-breakpoint
CREATE TABLE `piece_digests` (
	`task_id` text NOT NULL,
	`chunk` integer NOT NULL,
	`known` blob NOT NULL,
	`digests` blob NOT NULL,
	PRIMARY KEY(`task_id`, `chunk`)
);
--> statement-breakpoint
CREATE TABLE `tasks` (
	`task_id` text PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`tag` text NOT NULL,
	`application` text NOT NULL,
	`version` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`piece_length_bytes` integer NOT NULL,
	`ranged` integer NOT NULL,
	`state` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
