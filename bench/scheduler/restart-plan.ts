/** What the process of the hosts is told, and what it answers, for a scheduler that is killed and started anew. */
export interface RestartPlan {
  readonly url: string;
  readonly token: string;
  readonly hosts: number;
  /** Each host holds as many tasks as this of its herd, and wants one more of which it holds a part. */
  readonly heldTasks: number;
}

/** Printed when the scheduler knows every host and every part it has in a task. */
export const JOINED = "joined";

export interface RestartResult {
  /** From when the first host lost its channel until the scheduler had taken every statement, and so knows who holds what. */
  readonly knownMs: number;
  /** Statements it took for that. */
  readonly statements: number;
  /** Tasks that a host was told it cannot take part in. */
  readonly refused: number;
}

/** Hosts of one herd share their tasks. */
export const HOSTS_PER_HERD = 20;
