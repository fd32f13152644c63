// Runs an ONNX model with onnxruntime-node: node onnx_run.cjs MODEL INPUT N C H W FOLDER reads the image batch INPUT
// (float32, little-endian) and writes every output as FOLDER/NAME.f32.
const fs = require('node:fs');
const path = require('node:path');
const ort = require('onnxruntime-node');

async function main([model, input, n, c, h, w, folder]) {
  const session = await ort.InferenceSession.create(model);
  const x = new Float32Array(new Uint8Array(fs.readFileSync(input)).buffer);
  const image = new ort.Tensor('float32', x, [n, c, h, w].map(Number));
  const results = await session.run({ image });
  for (const [name, tensor] of Object.entries(results)) {
    fs.writeFileSync(path.join(folder, name + '.f32'), new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
  }
}

main(process.argv.slice(2)).catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
