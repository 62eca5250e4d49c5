// One landscape's numbers and frames, and what is read off them at a cell.

// Decoded on first use and kept: 21 x 21 x 10 floats are 18 kB. What failed is asked for anew.
const grids = new Map();

function gridOf(name) {
  if (!grids.has(name)) {
    const grid = loadGrid(name);
    grid.catch(() => grids.delete(name));
    grids.set(name, grid);
  }
  return grids.get(name);
}

async function loadGrid(name) {
  const [values, rows, overlay] = await Promise.all([source.values(name), source.rows(name), source.overlay(name)]);
  return gridOfValues(values, rows, overlay);
}

function gridOfValues(values, rows, overlay) {
  const labels = new Int32Array(values.length / numClasses).fill(NO_ANSWER);
  const margins = new Float32Array(labels.length);
  for (let cell = 0; cell < labels.length; cell++) {
    let first = -1;
    let second = 0;
    for (let c = 0; c < numClasses; c++) {
      const p = values[cell * numClasses + c];
      if (p > first) {
        second = Math.max(0, first);
        first = p;
        labels[cell] = c;
      } else if (p > second) second = p;
    }
    margins[cell] = labels[cell] === NO_ANSWER ? 0 : first - second;
  }
  return { values, labels, margins, rows, overlay, image: null };
}

// Beyond the third edge of a triangle the grid has no point.
const hasPoint = ([i, j]) => run.grid.kind !== 'triangle' || j <= i;

const labelAt = ([i, j]) => state.grid.labels[i * steps + j];
const describeCell = (cell) => {
  const label = labelAt(cell);
  const p = label === NO_ANSWER ? '' : ` ${formatProbability(probability(cell, label))}`;
  return `${cellText(cell)}: ${nameOf(label)}${p}`;
};
const probability = ([i, j], c) => state.grid.values[(i * steps + j) * numClasses + c];

function probabilitiesAt([i, j]) {
  const start = (i * steps + j) * numClasses;
  return state.grid.values.subarray(start, start + numClasses);
}

// The classes a picture of this landscape is about: A, B, C, then the intruders.
const leadingClasses = () => [...new Set([...state.landscape.classes, ...state.landscape.intruders])];

function roleOf(classIndex) {
  return ROLES.filter((_, k) => state.landscape.classes[k] === classIndex).join('');
}

const classLines = (classes) => classes.map((c) =>
  element('li', { className: roleOf(c) ? '' : 'outside' }, classTag(c, roleOf(c) && `${roleOf(c)} `)));

function strongestIntrusion() {
  let best = [Math.floor(steps / 2), Math.floor(steps / 2)];
  let highest = 0.5;
  for (const c of state.landscape.intruders) {
    for (let cell = 0; cell < steps * steps; cell++) {
      const p = state.grid.values[cell * numClasses + c];
      if (p > highest) {
        highest = p;
        best = [Math.floor(cell / steps), cell % steps];
      }
    }
  }
  return best;
}

async function loadFrames(name, grid) {
  if (grid.image || !run.frame) return;
  const address = await source.frames(name);
  if (!address) return;
  const image = new Image();
  image.src = address;
  await image.decode();
  grid.image = image;
}

function drawFrame(context, [i, j], x, y, width, height) {
  const { width_px: w, height_px: h, tile_width_px: tileW, tile_height_px: tileH } = run.frame;
  context.drawImage(state.grid.image, j * tileW, i * tileH, w, h, x, y, width, height);
}
