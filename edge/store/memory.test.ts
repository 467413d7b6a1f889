import { describe, expect, test } from "bun:test";
import { directoryConformance } from "./directory.conformance.ts";
import { memoryDirectory } from "./memory.ts";

directoryConformance("memory", async () => memoryDirectory(), { describe, expect, test });
