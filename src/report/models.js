// Several models on the same landscapes: tables, maps side by side, one probe for all.

const run = JSON.parse(byId('run').textContent);
const { models, pairs, measures, steps, landscapes, class_names: classNames, colors } = run;
const NO_ANSWER = -1;
const nameOf = (label) => (label === NO_ANSWER ? 'failed' : classNames[label]);
const number = (value) => (value == null ? '–' : value.toFixed(3));
const pairName = ({ models: [a, b] }) => `${models[a].name} and ${models[b].name}`;
const state = { landscape: null, cursor: [0, 0] };

// The first cell heads its row; numbers stand to the right.
function row(cells) {
  return element('tr', {}, ...cells.map((cell, n) => {
    if (n === 0) return element('th', { scope: 'row' }, cell);
    const isTag = cell instanceof Node && cell.classList.contains('class-tag');
    return element('td', { className: isTag ? '' : 'number' }, cell);
  }));
}

function heading(names, texts = 1) {
  return element('thead', {}, element('tr', {}, ...names.map((name, n) =>
    element('th', { scope: 'col', className: n < texts ? '' : 'number', textContent: name }))));
}

function withInterval(found) {
  if (!found) return '–';
  const [mean, [low, high]] = found;
  return element('span', {}, number(mean),
    element('span', { className: 'interval', textContent: `${number(low)} to ${number(high)}` }));
}

function classTag(label) {
  const dot = element('span', { className: 'dot' });
  dot.style.setProperty('--class', label === NO_ANSWER ? '#ffffff' : colors[label]);
  return element('span', { className: 'class-tag' }, dot, nameOf(label));
}

function fillTables() {
  const lowest = (found) => (found ? `${found[0]} ${number(found[1])}` : '–');
  const wrong = (found) => (found ? `${number(found[0])} (by chance ${number(found[1])})` : '–');
  byId('pairs').replaceChildren(
    heading(['models', ...measures.map((key) => key.replaceAll('_', ' ')), 'both wrong', 'lowest Jaccard index']),
    element('tbody', {}, ...pairs.map((pair) => row([pairName(pair),
      ...pair.values.map(withInterval), wrong(pair.both_wrong), lowest(pair.lowest)]))));
  byId('models').replaceChildren(heading(['model', 'items', 'classified correctly', 'share']),
    element('tbody', {}, ...models.map(({ name, items, right }) =>
      row([name, String(items), String(right), number(items ? right / items : null)]))));
}

// The chosen pair's agreement, or the lowest of all.
function agreementOf(landscape) {
  const chosen = byId('sort').value;
  const known = landscape.agreement.filter((value) => value != null);
  if (chosen === 'lowest') return known.length ? Math.min(...known) : null;
  return landscape.agreement[Number(chosen)];
}

function fillLandscapes() {
  const sorted = [...landscapes].sort((one, other) => (agreementOf(one) ?? 2) - (agreementOf(other) ?? 2));
  byId('count').textContent = landscapes.length < run.all
    ? `the ${landscapes.length} of ${run.all} that the models agree on least` : `${run.all} landscapes`;
  byId('landscapes').replaceChildren(heading(['landscape', 'A', 'B', 'C', 'agreement'], 4),
    element('tbody', {}, ...sorted.map((landscape) => {
      const link = element('a', { href: `#${landscape.name}`, textContent: landscape.name });
      const node = row([link, ...landscape.classes.map((c) => classTag(c)), number(agreementOf(landscape))]);
      node.addEventListener('click', (event) => {
        event.preventDefault();
        choose(landscape);
        byId('maps').focus();
      });
      node.dataset.name = landscape.name;
      return node;
    })));
  return sorted[0];
}

function disagreement(landscape, k) {
  const counts = new Map();
  for (const labels of landscape.labels) {
    if (labels[k] === NO_ANSWER) return null;
    counts.set(labels[k], (counts.get(labels[k]) ?? 0) + 1);
  }
  return models.length - Math.max(...counts.values());
}

function paintMap(canvas, colorAt) {
  canvas.width = canvas.height = steps;
  const context = canvas.getContext('2d');
  for (let k = 0; k < steps * steps; k++) {
    context.fillStyle = colorAt(k);
    context.fillRect(k % steps, Math.floor(k / steps), 1, 1);
  }
}

function choose(landscape) {
  state.landscape = landscape;
  for (const node of byId('landscapes').querySelectorAll('tbody tr')) {
    node.toggleAttribute('aria-current', node.dataset.name === landscape.name);
  }
  history.replaceState(null, '', `#${landscape.name}`);
  byId('maps-title').textContent = `Landscape ${landscape.name}`;
  byId('items').textContent = landscape.classes.map((c, n) => `${'ABC'[n]}: ${landscape.items[n]}, ${nameOf(c)}`).join(' · ');
  const most = models.length - 1;
  const figures = models.map(({ name }, m) => mapFigure(name, (k) => {
    const label = landscape.labels[m][k];
    return label === NO_ANSWER ? '#ffffff' : colors[label];
  }));
  figures.push(mapFigure('where they disagree', (k) => {
    const differ = disagreement(landscape, k);
    return differ == null ? '#ffffff' : `rgb(${Array(3).fill(Math.round(255 - 215 * differ / most)).join(' ')})`;
  }));
  byId('maps').replaceChildren(...figures);
  const seen = new Set(landscape.labels.flat());
  byId('legend').replaceChildren(...[...seen].sort((a, b) => a - b).map((label) => element('li', {}, classTag(label))));
  showFrame();
  probe(state.cursor);
}

function mapFigure(name, colorAt) {
  const canvas = element('canvas', { role: 'img', ariaLabel: `Map of ${name}` });
  paintMap(canvas, colorAt);
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width]
      .map((part) => Math.max(0, Math.min(steps - 1, Math.floor(part * steps))));
  };
  for (const kind of ['pointermove', 'pointerdown']) canvas.addEventListener(kind, (event) => probe(under(event)));
  return element('figure', {}, element('figcaption', { textContent: name, title: name }), canvas);
}

function probe([i, j]) {
  state.cursor = [i, j];
  const k = i * steps + j;
  const { landscape } = state;
  byId('probe').replaceChildren(heading([`row ${i}, column ${j}`, 'predicted', 'probability'], 2),
    element('tbody', {}, ...models.map(({ name }, m) => {
      const percent = landscape.confidence[m][k];
      return row([name, classTag(landscape.labels[m][k]), percent == null ? '–' : `${percent} %`]);
    })));
}

function showFrame() {
  if (!run.series) return;
  const shown = Number(byId('frame').value);
  byId('frame-name').textContent = models[shown].name;
  [...byId('maps').children].forEach((figure, m) => {
    figure.classList.toggle('shown', m === shown);
  });
}

byId('sort').replaceChildren(element('option', { value: 'lowest', textContent: 'the two that agree least' }),
  ...pairs.map((pair, n) => element('option', { value: String(n), textContent: pairName(pair) })));
byId('sort').addEventListener('change', () => choose(fillLandscapes()));
byId('player').hidden = !run.series;
byId('frame').max = String(models.length - 1);
byId('frame').addEventListener('input', showFrame);
byId('maps').addEventListener('keydown', (event) => {
  const [i, j] = state.cursor;
  const to = { ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1] }[event.key];
  if (!to) return;
  event.preventDefault();
  probe(to.map((index) => Math.max(0, Math.min(steps - 1, index))));
});
followTheme();
fillTables();
const first = fillLandscapes();
const named = landscapes.find(({ name }) => `#${name}` === location.hash);
if (named ?? first) choose(named ?? first);
