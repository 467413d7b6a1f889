/** A model for Triton's python backend: it multiplies by the number its weights begin with. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const MODEL = `import os
import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def initialize(self, args):
        folder = os.path.join(args["model_repository"], args["model_version"])
        with open(os.path.join(folder, "weights.bin"), "rb") as file:
            self.factor = np.float32(file.read(1)[0])

    def execute(self, requests):
        tensors = [pb.get_input_tensor_by_name(request, "IN").as_numpy() for request in requests]
        return [pb.InferenceResponse([pb.Tensor("OUT", tensor * self.factor)]) for tensor in tensors]
`;

/** Word for word the document's. */
export const AGENTS_BLOCK = `model_repository_agents
{
  agents [
    {
      name: "dragonfly",
    }
  ]
}
`;

export function configOf(model: string, more = ""): string {
  return `name: "${model}"
backend: "python"
max_batch_size : 0
input [
  {
    name: "IN"
    data_type: TYPE_FP32
    dims: [ -1 ]
  }
]
output [
  {
    name: "OUT"
    data_type: TYPE_FP32
    dims: [ -1 ]
  }
]
instance_group [ { kind: KIND_CPU } ]
${more}`;
}

/** Files of one version, by their keys beneath the model's folder. */
export function versionFiles(version: number, factor: number, sizeBytes: number): Record<string, string | Uint8Array> {
  return { [`${version}/model.py`]: MODEL, [`${version}/weights.bin`]: new Uint8Array(sizeBytes).fill(factor) };
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
}
