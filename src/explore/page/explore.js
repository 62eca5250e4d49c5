// The page as a whole: its start, its keys, and its handles for the console and for tests,
// `window.morphscape`. `document.documentElement.dataset.ready` is "page" once it can be used and
// "full" once the surface is there; `settled` is the number of the last change that is all drawn.

// A landscape of the run's ranking: its items are taken.
function select(name) {
  const { positions } = byName.get(name) ?? {};
  if (!positions?.every((position) => position !== null)) return tell(`${name}: its items are not in the data`);
  return anchors.setAll(positions.map((item) => ({ item })));
}

function showLandscape() {
  byId('landscape').scrollIntoView({ behavior: wantsNoMotion() ? 'auto' : 'smooth' });
}

function pageKey(event) {
  const typing = event.target.closest?.('input:not([type="range"]):not([type="radio"]):not([type="checkbox"]), select, textarea');
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'r') anchors.draw();
  else if (event.key === 'Escape' && !line.isOn()) setPath([]);
}

async function start() {
  fillPairs(byId('facts'), run.facts);
  byId('ranking').hidden = !run.landscapes.length;
  if (run.landscapes.length) ranking.build();
  followers.push(() => live.follow());
  line.start();
  against.start();
  boundary.start();
  settings.build();
  plane.start();
  anchors.build();
  map.start();
  path.start();
  surface.start();
  keep.start();
  followTheme(() => surface.draw());
  addEventListener('keydown', pageKey);
  addEventListener('hashchange', () => {
    if (location.hash.slice(1) !== address.written) address.read();
  });
  address.read();
  await gallery.build();
  document.documentElement.dataset.ready = 'page';
  // A task of its own, so that the page is painted before the library is read.
  await new Promise((resolve) => setTimeout(resolve, 30));
  await surface.load();
  document.documentElement.dataset.ready = 'full';
}

window.morphscape = {
  /** Sets A, B and C by positions in the data. */
  choose: (positions) => anchors.setAll(positions.map((item) => ({ item }))),
  settings, setCursor, setPath,
  /** Probabilities that are shown, [steps, steps, classes] row by row; of the second model with 1. */
  values: (model = 0) => (model ? state.against : state.grid).values.slice(),
  steps: () => steps,
  asked: () => live.asked,
  isSettled: () => document.documentElement.dataset.settled === String(live.asked),
  /** Whether the address says what is shown. */
  isLinked: () => location.hash === `#${address.text()}`,
  log: () => live.log,
  probe: () => ({ cell: state.cursor, label: labelAt(state.cursor), probabilities: Array.from(probabilitiesAt(state.cursor)) }),
  path: () => path.cells(),
};

start().catch((error) => {
  tell(`The page could not be drawn in full: ${error.message}.`);
  throw error;
});
