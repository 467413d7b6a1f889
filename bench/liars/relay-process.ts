/** A lying relay in a process of its own. Arguments: port to listen on, origin behind it, `lie` or `honest`. Prints a
 *  line of JSON for each request. */
import { startLyingRelay } from "../../tests/fixtures/lying-relay.ts";

const [port = "0", target = "", mode = "honest"] = process.argv.slice(2);
startLyingRelay({
  port: Number(port),
  target,
  lies: () => mode === "lie",
  heard: (request) => void process.stdout.write(`${JSON.stringify(request)}\n`),
});
process.once("SIGTERM", () => process.exit(0));
