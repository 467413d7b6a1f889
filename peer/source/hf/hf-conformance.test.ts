import { HfHub } from "../../../tests/fixtures/hf-hub.ts";
import { sourceConformance } from "../source.conformance.ts";

/** No tree of git holds an empty name. */
const NOT_IN_GIT = ["/leading//doubled/", "list/c//d"];

sourceConformance(
  "Hugging Face",
  async () => {
    const hub = await HfHub.start();
    hub.createRepo("datasets/owner/name", "private");
    const options = { endpoint: hub.url, accessToken: hub.token };
    return {
      url: (key) => `hf://datasets/owner/name/${key}`,
      missingBucketUrl: "hf://nobody/nowhere/key",
      options,
      wrongOptions: [{ ...options, accessToken: "hf_secret-wrong" }],
      secrets: ["secret-", "Signature"],
      put: async (key, content) => void hub.put("datasets/owner/name", key, content),
      [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose](),
    };
  },
  { withoutKeys: NOT_IN_GIT, keepsVersion: true },
);
