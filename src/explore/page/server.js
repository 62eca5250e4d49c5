// Where the data come from: here the server that gave the page. `source` is all that the rest of the
// page knows of it; what each place takes and gives stands in src/explore/api.rs.

// The newest request of each kind from one page is the one that the server computes.
const page = Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36)).join('');

// They are counted: one that was given up may reach the server after the one that replaced it.
let turn = 0;
const ofPage = (view) => ({ page, turn: ++turn, ...view });

// What cannot be had, in the server's words: no failure.
class Refused extends Error {}

async function ask(place, body, signal) {
  const asked = body === undefined ? {} : {
    method: 'POST', body: body instanceof Blob ? body : JSON.stringify(body), signal,
  };
  const response = await fetch(place, asked).catch((error) => {
    throw error.name === 'AbortError' ? error : new Refused('the server has ended; start it again and open its new address');
  });
  if (!response.ok) throw new Refused(await response.text());
  return response;
}

async function askJson(place, body, signal) {
  const answer = await (await ask(place, body, signal)).json();
  if (answer.refused) throw new Refused(answer.refused);
  return answer;
}

// Binary where it could be answered, else a sentence.
async function askBytes(place, body, signal) {
  const response = await ask(place, body, signal);
  if (response.headers.get('Content-Type') === 'application/json') throw new Refused((await response.json()).refused);
  return response;
}

const source = {
  run: () => askJson('run'),
  library: async () => (await ask('library')).text(),
  members: async (wanted) => new Uint32Array(await (await askBytes('members', wanted)).arrayBuffer()),
  items: (positions) => askJson('items', { positions }),
  own: (file) => askJson('own', file),
  commands: (view) => askJson('commands', ofPage(view)),
  boundary: (view, signal) => askJson('boundary', ofPage(view), signal),
  save: (view, folder) => askJson('save', { view: ofPage(view), folder }),
  frames: async (view, signal) => (await askBytes('frames', ofPage(view), signal)).blob(),

  // A text, its length before it, then floats: probabilities of each model, then rows.
  async view(view, signal) {
    const bytes = await (await askBytes('view', ofPage(view), signal)).arrayBuffer();
    const length = new DataView(bytes).getUint32(0, true);
    const said = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    const floats = new Float32Array(bytes, 4 + length);
    const each = said.steps ** (said.grid.kind === 'line' ? 1 : 2) * run.num_classes;
    const models = run.models.map((_, k) => floats.subarray(k * each, (k + 1) * each));
    const rows = floats.subarray(models.length * each);
    return { ...said, models, rows: rows.length ? rows : null };
  },
};
