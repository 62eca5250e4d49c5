// The run that the page shows, and the words, colours and numbers of its classes and cells.
//
// There is one state: the selected landscape with its grid, the cursor's cell and the ends of the
// path. `select` (select.js), `setCursor` and `setPath` (cursor.js) change it and redraw the views.

const run = await source.run();
const { num_classes: numClasses, class_names: classNames, colors } = run;
let { steps } = run; // points a side of the grid that is shown; of a run always the same
const byName = new Map(run.landscapes.map((landscape) => [landscape.name, landscape]));
const ROLES = ['A', 'B', 'C'];

const state = { landscape: null, grid: null, cursor: [0, 0], path: [] };

// A frame that the paper's tool could not make has no probabilities and no class.
const NO_ANSWER = -1;
const nameOf = (classIndex) => classNames[classIndex] ?? 'no answer';
const colorOf = (classIndex) => colors[classIndex] ?? '#9a9a9a';
const formatProbability = (p) => Number.isNaN(p) ? '–' : p.toFixed(3);

// The style sheet makes the colour of a class lighter where the page is dark.
function inColor(node, classIndex) {
  node.style.setProperty('--class', colorOf(classIndex));
  return node;
}

function dot(classIndex) {
  return inColor(element('span', { className: 'dot' }), classIndex);
}

const classTag = (classIndex, prefix = '') =>
  element('span', { className: 'class-tag' }, dot(classIndex), prefix, nameOf(classIndex));

function formatMeasure(value, format) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  if (format === 'change') return `${value > 0 ? '+' : ''}${(100 * value).toFixed(1)} %`;
  if (format === 'percent') return `${(100 * value).toFixed(1)} %`;
  if (format === 'integer') return Math.round(value).toLocaleString('en');
  return value.toFixed((format.split('.')[1] ?? '').length);
}

const fraction = (index) => index / Math.max(1, steps - 1);
const clampIndex = (index) => Math.min(steps - 1, Math.max(0, index));
const cellText = ([i, j]) => run.grid.axes.down ? `row ${i}, column ${j}` : `point ${j}`;
