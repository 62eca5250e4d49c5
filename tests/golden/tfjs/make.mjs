// Models as TensorFlow.js saves them, and its own answers to them.
//
//     npm install @tensorflow/tfjs@4.22.0 && node make.mjs
//
// Writes NAME/model.json with its shards, and answers.json: for each model the inputs, row-major, and the
// answers. `quantised` holds the weights of `rows` in 8 and 16 bits, as tensorflowjs_converter writes them;
// TensorFlow.js reads them back for its answers. Weights are drawn anew each time.
import * as tf from "@tensorflow/tfjs";
import fs from "node:fs";

await tf.setBackend("cpu");
const answers = { made_with: `@tensorflow/tfjs ${tf.version.tfjs}` };

/** Numbers from 0 to 1, the same each time. */
let state = 20261130;
function number() {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
}

/** Draws weights whose layers neither die nor overflow; statistics of batches are positive. */
function draw(model) {
    for (const weight of model.weights) {
        const name = weight.name;
        const fan = weight.shape.slice(0, -1).reduce((all, size) => all * size, 1);
        const values = Array.from({ length: weight.shape.reduce((all, size) => all * size, 1) }, () => {
            if (name.includes("variance") || name.includes("gamma")) return 0.5 + number();
            return (number() - 0.5) * (weight.shape.length > 1 ? 3 / Math.sqrt(fan) : 0.4);
        });
        weight.write(tf.tensor(values, weight.shape));
    }
}

async function artifacts(model) {
    let kept;
    await model.save(tf.io.withSaveHandler(async (made) => {
        kept = made;
        return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(made) };
    }));
    return kept;
}

function write(name, kept, shard) {
    fs.mkdirSync(name, { recursive: true });
    const data = Buffer.from(kept.weightData);
    const paths = [];
    for (let at = 0; at < data.length; at += shard) paths.push(`group1-shard${paths.length + 1}.bin`);
    paths.forEach((path, n) => fs.writeFileSync(`${name}/${path}`, data.subarray(n * shard, (n + 1) * shard)));
    const { modelTopology, format, generatedBy, convertedBy } = kept;
    const weightsManifest = [{ paths, weights: kept.weightSpecs }];
    fs.writeFileSync(`${name}/model.json`, JSON.stringify({ format, generatedBy, convertedBy, modelTopology, weightsManifest }));
}

/** Asks for the answers to inputs of this shape: grey levels, or numbers from -2 to 2. */
function ask(name, model, shape, levels) {
    const count = shape.reduce((all, size) => all * size, 1);
    const input = () => (levels ? Math.floor(number() * 256) : Math.fround((number() - 0.5) * 4));
    const inputs = Array.from({ length: count }, input);
    const found = model.predict(tf.tensor(inputs, shape));
    answers[name] = { shape, inputs, answers: Array.from(found.dataSync()) };
}

const L = tf.layers;

const rows = tf.sequential({ layers: [
    L.dense({ units: 6, activation: "tanh", inputShape: [4], name: "hidden" }),
    L.dropout({ rate: 0.3 }),
    L.dense({ units: 3, activation: "softmax", name: "kinds" }),
] });
draw(rows);
write("rows", await artifacts(rows), 1 << 20);
ask("rows", rows, [5, 4], false);

// As Teachable Machine's: a model of images inside a sequence, and a small one behind it. Shards end
// inside weights.
const image = tf.input({ shape: [12, 10, 3] });
let x = L.rescaling({ scale: 1 / 127.5, offset: -1 }).apply(image);
x = L.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: "same", useBias: false, name: "Conv1" }).apply(x);
x = L.batchNormalization({ name: "bn_Conv1", epsilon: 0.001 }).apply(x);
const first = L.reLU({ maxValue: 6 }).apply(x);
x = L.depthwiseConv2d({ kernelSize: 3, padding: "same", useBias: false, name: "depthwise" }).apply(first);
x = L.batchNormalization({ name: "depthwise_BN" }).apply(x);
x = L.reLU({ maxValue: 6 }).apply(x);
x = L.conv2d({ filters: 6, kernelSize: 1, name: "project" }).apply(x);
x = L.add({ name: "sum" }).apply([x, first]);
x = L.globalAveragePooling2d({ name: "pooled" }).apply(x);
const features = tf.model({ inputs: image, outputs: x, name: "features" });
const head = tf.sequential({ name: "head", layers: [
    L.dense({ units: 8, activation: "relu", inputShape: [6], name: "dense_Dense1" }),
    L.dense({ units: 3, useBias: false, activation: "softmax", name: "dense_Dense2" }),
] });
const nested = tf.sequential({ layers: [features, head] });
draw(nested);
write("nested", await artifacts(nested), 500);
ask("nested", nested, [3, 12, 10, 3], true);

// value = stored * scale + min, in the place of 32 bits.
const kept = await artifacts(rows);
const whole = new Float32Array(kept.weightData);
const parts = [], specs = [];
let at = 0;
for (const spec of kept.weightSpecs) {
    const count = spec.shape.reduce((all, size) => all * size, 1);
    const values = whole.subarray(at, at + count);
    at += count;
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const wide = spec.name.endsWith("bias");
    const scale = (most - least) / (wide ? 65535 : 255);
    const stored = (wide ? Uint16Array : Uint8Array).from(values, (value) => Math.round((value - least) / scale));
    parts.push(Buffer.from(stored.buffer));
    specs.push({ ...spec, quantization: { dtype: wide ? "uint16" : "uint8", scale, min: least, original_dtype: "float32" } });
}
const bytes = Buffer.concat(parts);
const small = { ...kept, weightSpecs: specs, weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
write("quantised", small, 1 << 20);
ask("quantised", await tf.loadLayersModel(tf.io.fromMemory(small)), [5, 4], false);

fs.writeFileSync("answers.json", JSON.stringify(answers));
