/** A link of limited speed before a piece port, in a process of its own: TCP in, the same TCP out, what comes back paced
 *  over all connections together. Arguments: port to listen on, port to reach, bytes a second. */
import { connect, createServer, type Socket } from "node:net";
import { Pacer } from "../../tests/fixtures/send-file.ts";

const [listenPort = 0, targetPort = 0, rateBps = 1] = process.argv.slice(2).map(Number);
const pacer = new Pacer(rateBps);

const server = createServer((client) => {
  const target = connect({ host: "127.0.0.1", port: targetPort });
  const end = () => {
    client.destroy();
    target.destroy();
  };
  for (const socket of [client, target]) socket.on("error", end).on("close", end);
  client.pipe(target);
  forwardPaced(target, client).then(() => client.end(), end);
});
server.listen(listenPort, "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));

async function forwardPaced(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from as AsyncIterable<Uint8Array>) {
    await pacer.pass(chunk.length);
    if (to.destroyed) return;
    if (!to.write(chunk)) await new Promise<void>((resolve) => to.once("drain", resolve).once("close", resolve));
  }
}
