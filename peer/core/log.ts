/** How rooms below the daemon tell what happens; the daemon decides where it goes. Fields hold no secrets. */
export type Log = (level: "info" | "warn", event: string, fields: Record<string, unknown>) => void;
