import { expect, test } from "bun:test";
import fc from "fast-check";
import { withoutDragonflyAgent } from "./agents-block.ts";

/** Word for word the document's. */
const BEFORE = `name: "densenet_onnx"
platform: "onnxruntime_onnx"
max_batch_size : 0
input [
  {
    name: "data_0"
    data_type: TYPE_FP32
    format: FORMAT_NCHW
    dims: [ 3, 224, 224 ]
    reshape { shape: [ 1, 3, 224, 224 ] }
  }
]
output [
  {
    name: "fc6_1"
    data_type: TYPE_FP32
    dims: [ 1000 ]
    reshape { shape: [ 1, 1000, 1, 1 ] }
    label_filename: "densenet_labels.txt"
  }
]
`;
const BLOCK = `model_repository_agents
{
  agents [
    {
      name: "dragonfly",
    }
  ]
}
`;

test("the document's block goes, and nothing else", () => {
  expect(withoutDragonflyAgent(BEFORE + BLOCK)?.trimEnd()).toBe(BEFORE.trimEnd());
  expect(withoutDragonflyAgent(BLOCK + BEFORE)?.trim()).toBe(BEFORE.trim());
  expect(withoutDragonflyAgent(BEFORE)).toBeUndefined();
});

test.each([
  [`model_repository_agents { agents { name: "dragonfly" } }`, ""],
  [`model_repository_agents: < agents: [ < name: 'dragonfly' > ] >; name: "m"`, ` name: "m"`],
  [
    `model_repository_agents { agents [ { name: "checksum" }, { name: "dragonfly" } ] }`,
    `model_repository_agents { agents [ { name: "checksum" } ] }`,
  ],
  [
    `model_repository_agents { agents [ { name: "dragonfly" }, { name: "a" parameters { key: "x" value: "y" } }, { name: "dragon" "fly" } ] }`,
    `model_repository_agents { agents [ { name: "a" parameters { key: "x" value: "y" } } ] }`,
  ],
  [
    `model_repository_agents { agents { name: "dragonfly" } agents { name: "checksum" } }`,
    `model_repository_agents {  agents { name: "checksum" } }`,
  ],
])("%s becomes %s", (text, rest) => {
  expect(withoutDragonflyAgent(text)).toBe(rest);
});

test.each([
  `# model_repository_agents { agents { name: "dragonfly" } }\nname: "m"`,
  `name: "model_repository_agents { agents { name: 'dragonfly' } }"`,
  `parameters { key: "k" value { string_value: "dragonfly" } }`,
  `model_repository_agents { agents { name: "checksum" } }`,
  `model_repository_agents { agents { name: "dragonfly" }`,
  `model_repository_agents { agents [ { name: "dragonfly" }`,
  `}{`,
  "",
])("%s stays as it is", (text) => {
  expect(withoutDragonflyAgent(text)).toBeUndefined();
});

test("no text makes it fail or hang", () => {
  const pieces = [
    "model_repository_agents",
    "agents",
    "name",
    ":",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ",",
    '"dragonfly"',
    "'",
    "#",
    "\n",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (words) => {
      const rest = withoutDragonflyAgent(words.join(" "));
      return rest === undefined || rest.length < words.join(" ").length;
    }),
  );
});
