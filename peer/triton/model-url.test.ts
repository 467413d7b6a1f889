import { expect, test } from "bun:test";
import { parseModelUrl } from "./model-url.ts";

test.each([
  ["s3://bucket/models/densenet_onnx", "s3://bucket/models/densenet_onnx/", undefined],
  ["s3://bucket/densenet_onnx/", "s3://bucket/densenet_onnx/", undefined],
  ["s3://192.168.36.128:9000/models/densenet_onnx", "s3://models/densenet_onnx/", "http://192.168.36.128:9000"],
  [
    "s3://https://minio.internal:9000//models//a/densenet_onnx",
    "s3://models/a/densenet_onnx/",
    "https://minio.internal:9000",
  ],
  ["gs://bucket/densenet_onnx", "gs://bucket/densenet_onnx/", undefined],
  ["as://account/container/densenet_onnx", "as://account/container/densenet_onnx/", undefined],
])("%s is the folder %s at %s", (text, folderUrl, endpoint) => {
  expect(parseModelUrl(text)).toMatchObject({ folderUrl, endpoint, model: "densenet_onnx" });
});

test.each([
  "densenet_onnx",
  "s3://bucket",
  "s3://bucket/",
  "s3://bucket/..",
  "s3://bucket/a/../b",
  "s3://bucket/.hidden",
  "s3://b/new\nline",
])("%j names no model", (text) => {
  expect(() => parseModelUrl(text)).toThrow("The URL of the model");
});
