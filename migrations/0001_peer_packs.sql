CREATE TABLE `peer_packs` (
	`task_id` text NOT NULL,
	`pack` integer NOT NULL,
	`host_ids` text NOT NULL,
	`peers` blob NOT NULL,
	PRIMARY KEY(`task_id`, `pack`)
);
--> statement-breakpoint
DROP TABLE `peers`;