// Where the data comes from: here the inert elements that the builder left in the page.
//
// `source` is all that the rest of the page knows of it. A server stands in for it with another
// file in the place of this one that defines the same functions, each of which may return its
// value or a promise of it; a promise that fails leaves on the page what it showed before.
//
//   run()         what the page is built from, once: the object of `run` in src/report/page.rs
//   values(name)  probabilities of a landscape, a Float32Array [steps, steps, num_classes], row by
//                 row as the grid is drawn (Landscape::as_drawn); NaN where a point has no answer.
//                 Kept by the page: asked for once a landscape
//   rows(name)    its inputs, a Float32Array [steps, steps, features]; null where they are images
//   frames(name)  its frames as one picture, tiles of `run.frame`: an address for an image; null
//                 where there are none
//   overlay(name) of a plane or triangle what is drawn over its map: {anchors, ends, unit, ...} of
//                 `overlay` in src/report/mod.rs; null for others
//   figures(name) its drawings and those of its triple, {name: SVG text} in order; null for none
//   walk(name)    its random walk, {facts: [[name, value], ...], figures}; null for none
//   library()     the text of plotly.js, whose hash the page's policy names; asked for last
//
// Landscapes are named as in `run.landscapes`; only those with `detail` are asked for.

const source = {
  run: () => JSON.parse(byId('run').textContent),
  values: (name) => decodeFloats(`values-${name}`),
  rows: (name) => byId(`rows-${name}`) && decodeFloats(`rows-${name}`),
  frames: (name) => byId(`frames-${name}`)?.textContent.trim() ?? null,
  overlay: (name) => byId(`overlay-${name}`) && inflateJson(`overlay-${name}`),

  // Those of its triple, which its landscapes share, follow a landscape's own.
  async figures(name) {
    const triple = name.includes('.') ? [name.slice(0, name.lastIndexOf('.'))] : [];
    const owners = [name, ...triple];
    const held = owners.map((owner) => `figures-${owner}`).filter(byId);
    if (!held.length) return null;
    return Object.assign({}, ...await Promise.all(held.map(inflateJson)));
  },

  walk: (name) => byId(`walk-${name}`) && inflateJson(`walk-${name}`),
  library: () => inflate('plotly'),
};

function decodeBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let k = 0; k < binary.length; k++) bytes[k] = binary.charCodeAt(k);
  return bytes;
}

const decodeFloats = (id) => new Float32Array(decodeBase64(byId(id).textContent).buffer);

function inflate(id) {
  if (!window.DecompressionStream) {
    throw new Error('this browser cannot inflate what the page carries (DecompressionStream, since 2023)');
  }
  const packed = new Blob([decodeBase64(byId(id).textContent)]);
  return new Response(packed.stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

const inflateJson = async (id) => JSON.parse(await inflate(id));
