/** The two files of Dragonfly's repository agent: where they lie, and what they say. */
import type { SettingFault } from "../../schema/settings.ts";
import { readJsonFile } from "../config/json-file.ts";
import { absolutePath, type PathContext } from "../config/paths.ts";
import { type CloudCredential, cloudCredentialSchema } from "./cloud-credential.ts";
import { type DragonflyConfig, dragonflyConfigSchema } from "./dragonfly-config.ts";

export interface GivenTritonFiles {
  readonly dragonflyConfig: string | undefined;
  readonly cloudCredential: string | undefined;
}

export interface TritonFiles {
  readonly config: DragonflyConfig;
  readonly credential: CloudCredential;
  readonly warnings: readonly string[];
  readonly faults: readonly SettingFault[];
}

const REMEDY = "Write the field as docs/triton.md shows it";
/** In the agent's image. */
const USUAL_FOLDER = "/home/triton";

/** A file that is named must be there; where none is, those in the agent's usual place are read when they exist. */
export async function loadTritonFiles(given: GivenTritonFiles, context: PathContext): Promise<TritonFiles> {
  const configName = given.dragonflyConfig ?? (context.env.TRITON_DRAGONFLY_CONFIG_PATH || undefined);
  const credentialName = given.cloudCredential ?? (context.env.TRITON_CLOUD_CREDENTIAL_PATH || undefined);
  const configPath = absolutePath(configName ?? `${USUAL_FOLDER}/dragonfly_config.json`, context);
  const credentialPath = absolutePath(credentialName ?? `${USUAL_FOLDER}/cloud_credential.json`, context);
  const [config, credential] = await Promise.all([
    readJsonFile(configPath, dragonflyConfigSchema, REMEDY),
    readJsonFile(credentialPath, cloudCredentialSchema, REMEDY),
  ]);
  const faults = [
    ...(config.kind === "faults" ? config.faults : []),
    ...(credential.kind === "faults" ? credential.faults : []),
    ...(config.kind === "absent" && configName !== undefined ? [absent(configPath)] : []),
    ...(credential.kind === "absent" && credentialName !== undefined ? [absent(credentialPath)] : []),
  ];
  const isOpen = credential.kind === "value" && credential.readableByOthers;
  return {
    config: config.kind === "value" ? config.value : { header: {} },
    credential: credential.kind === "value" ? withPaths(credential.value, context) : {},
    warnings: isOpen
      ? [`${credentialPath} holds secrets and other users can read it: run chmod 600 ${credentialPath}`]
      : [],
    faults,
  };
}

function absent(path: string): SettingFault {
  return { origin: path, value: "absent", problem: "there is no such file", remedy: "Name a readable JSON file" };
}

/** The peer reads the files of service accounts, and starts elsewhere than this process. */
function withPaths(credential: CloudCredential, context: PathContext): CloudCredential {
  const { gs } = credential;
  if (gs === undefined) return credential;
  const entries = Object.entries(gs).map(([name, options]) => {
    const { serviceAccountFile: path } = options;
    return [
      name,
      path === undefined ? options : { ...options, serviceAccountFile: absolutePath(path, context) },
    ] as const;
  });
  return { ...credential, gs: Object.fromEntries(entries) };
}
