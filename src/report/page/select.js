// Which landscape is shown: read, then put into the state, and the redraw that follows.

let wanted = null;

// Nothing changes before the frames are there, so that the views never meet half a landscape.
async function select(name) {
  const landscape = byName.get(name);
  if (!landscape || landscape === wanted) return;
  wanted = landscape;
  const isCurrent = () => wanted === landscape;
  const grid = landscape.detail ? await gridToShow(name, isCurrent) : null;
  if (!isCurrent()) return;
  state.landscape = landscape;
  state.grid = grid;
  state.path = [];
  try {
    history.replaceState(null, '', `#${encodeURIComponent(name)}`);
  } catch {
    // Some browsers refuse this for files; the page works without the address.
  }
  ranking.mark();
  fillLandscapeHead();
  byId('detail').hidden = !landscape.detail;
  byId('no-detail').hidden = landscape.detail;
  if (!landscape.detail) return;
  state.cursor = strongestIntrusion();
  probe.build();
  map.build();
  surface.fillChoices();
  redraw();
  surface.draw();
  await figures.show(name, isCurrent);
}

async function gridToShow(name, isCurrent) {
  try {
    const grid = await gridOf(name);
    // Without its picture a landscape still has its map and its numbers.
    await loadFrames(name, grid).catch((error) => console.warn(`frames of ${name}: ${error.message}`));
    return grid;
  } catch (error) {
    // What is shown stays, and the landscape can be asked for again.
    if (isCurrent()) wanted = state.landscape;
    throw error;
  }
}

function fillLandscapeHead() {
  const { name, title, classes, items, values } = state.landscape;
  byId('landscape-heading').replaceChildren(
    element('span', { className: 'name', textContent: name }), ` ${title}`);
  byId('items').replaceChildren(...ROLES.map((role, k) =>
    element('span', {}, classTag(classes[k], `${role} `), ` ${items[k]}`)));
  fillPairs(byId('measures'), run.columns.flatMap((column, k) =>
    run.overview.includes(column.key) ? [[column.label, formatMeasure(values[k], column.format)]] : []));
  const settling = run.resolution?.values[name];
  fillMeasures('all-measures', settling ?? values.map((value) => [value]), settling && run.resolution.steps);
}

// After a choice in the table: only where the landscape is out of sight does the page move.
function showLandscape() {
  const { top } = byId('landscape-heading').getBoundingClientRect();
  if (top >= 0 && top < 0.75 * innerHeight) return;
  byId('landscape').scrollIntoView({ behavior: wantsNoMotion() ? 'auto' : 'smooth' });
}
