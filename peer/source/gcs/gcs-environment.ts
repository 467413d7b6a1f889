/** What the variables that Google's own tools read say of Cloud Storage. */
import type { Environment } from "../driver.ts";
import type { StoreLayer } from "../store-layers.ts";

export function gcsEnvironment(env: Environment): StoreLayer {
  const emulator = env.STORAGE_EMULATOR_HOST ?? "";
  const endpoint = emulator === "" || /^https?:\/\//i.test(emulator) ? emulator : `http://${emulator}`;
  return {
    name: "the environment (GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_OAUTH_ACCESS_TOKEN)",
    options: {
      endpoint,
      accessToken: env.GOOGLE_OAUTH_ACCESS_TOKEN || env.CLOUDSDK_AUTH_ACCESS_TOKEN,
      serviceAccountFile: env.GOOGLE_APPLICATION_CREDENTIALS,
      // As Google's own clients: an emulator checks nothing.
      ...(endpoint === "" ? {} : { anonymous: true }),
    },
  };
}
