/** The S3 store of the documents bench, in a process of its own so that it takes no turn from what is measured.
 *  Arguments: folder, port, bytes a second. Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
import { startS3Store } from "../../tests/fixtures/s3-store.ts";

const [folder = "", port = "0", rateBps = "0"] = process.argv.slice(2);
const store = await startS3Store({
  folder,
  port: Number(port),
  rateBps: Number(rateBps),
  accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? "",
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? "",
});
process.once("SIGTERM", () => void store.stop());
