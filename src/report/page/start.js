// The page as a whole: its keys, its start, and its handles for the console and for tests,
// `window.morphscape`. `document.documentElement.dataset.ready` is "page" once it can be used and
// "full" once the surface is there.

function step(by) {
  const name = ranking.neighbour(by);
  if (name) select(name);
}

function pageKey(event) {
  const typing = event.target.closest?.('input[type="search"], select, textarea');
  if (typing || event.ctrlKey || event.metaKey || byId('large').open) return;
  if (event.key === '[') step(-1);
  else if (event.key === ']') step(1);
  else if (event.key === 'Escape') setPath([]);
}

const nameInAddress = () => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
};

async function start() {
  fillHeader();
  fillResolution();
  ranking.build();
  map.start();
  path.start();
  surface.start();
  figures.start();
  followTheme(() => surface.draw());
  byId('previous').addEventListener('click', () => step(-1));
  byId('next').addEventListener('click', () => step(1));
  addEventListener('keydown', pageKey);
  addEventListener('hashchange', () => select(nameInAddress()));
  const first = byName.get(nameInAddress()) ?? ranking.rows.find((row) => row.landscape.detail)?.landscape ??
    run.landscapes[0];
  if (first) await select(first.name);
  document.documentElement.dataset.ready = 'page';
  // A task of its own, so that the page is painted before the library is inflated.
  await new Promise((resolve) => setTimeout(resolve, 30));
  await surface.load();
  document.documentElement.dataset.ready = 'full';
}

window.morphscape = {
  names: () => run.landscapes.map((landscape) => landscape.name),
  /** Selects a landscape; the promise is kept when it is drawn. */
  select,
  /** Probabilities of a landscape, [steps, steps, classes] row by row: a promise of a copy. */
  values: async (name) => (await gridOf(name)).values.slice(),
  /** Moves the cursor to a row and a column. */
  setCursor,
  /** What the probe shows. */
  probe: () => state.grid && {
    name: state.landscape.name, i: state.cursor[0], j: state.cursor[1],
    label: labelAt(state.cursor), probabilities: Array.from(probabilitiesAt(state.cursor)),
  },
  /** Sets the ends of the path, [[i, j], [i, j]], or clears it with []. */
  setPath,
  /** The grid points of the path. */
  path: () => path.cells(),
};

start().catch((error) => {
  const note = byId('note');
  note.hidden = false;
  note.textContent = `The page could not be drawn in full: ${error.message}.`;
  throw error;
});
