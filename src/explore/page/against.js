// A second model: its map, where it disagrees with the first, and its answers at the same point.

// Runs `work` with another grid in the state: the views know of one.
function withGrid(grid, work) {
  const before = state.grid;
  state.grid = grid;
  try {
    return work();
  } finally {
    state.grid = before;
  }
}

// The map of the report's part on another canvas.
const secondMap = Object.assign(Object.create(map), {
  canvas: byId('map-against'),
  base: document.createElement('canvas'),
  overlays: [],
});

const against = {
  bars: [],

  start() {
    if (run.models.length < 2) return;
    this.putSideBySide();
    byId('against-name').textContent = `Map of ${run.models[1].split(/[\\/]/).at(-1)}`;
    byId('against-name').title = run.models[1];
    followers.push(() => this.update());
    new ResizeObserver(() => this.update()).observe(byId('map-against'));
    for (const id of ['map-against', 'map-difference']) {
      byId(id).addEventListener('pointermove', (event) => setCursor(...this.cellUnder(event)));
      byId(id).addEventListener('click', (event) => addPathEnd(this.cellUnder(event)));
    }
  },

  // Among the report's parts: map beside map, and both answers in one probe.
  putSideBySide() {
    const bench = document.querySelector('.bench');
    bench.classList.add('two');
    bench.querySelector('.map-part').after(byId('against-map-part'));
    bench.querySelector('.probe-part').append(byId('against-bars-part'));
    bench.querySelector('.probe-part').after(byId('difference-part'));
  },

  cellUnder(event) {
    return secondMap.cellUnder.call({ canvas: event.currentTarget }, event);
  },

  build() {
    if (run.models.length < 2) return;
    this.bars = classNames.map((name, c) => {
      const fill = inColor(element('span', { className: 'fill' }), c);
      const number = element('span', { className: 'value' });
      const line = element('li', {}, element('span', { className: 'role', textContent: roleOf(c) }),
        element('span', { className: 'label', textContent: name, title: name }),
        element('span', { className: 'track' }, fill), number);
      return { line, fill, number };
    });
    byId('bars-against').replaceChildren(...this.bars.map((bar) => bar.line));
  },

  update() {
    if (!state.against) return;
    if (line.isOn()) this.drawn = null;
    else if (this.drawn !== state.against || this.size !== byId('map-against').clientWidth) this.draw();
    else withGrid(state.against, () => secondMap.paint());
    withGrid(state.against, () => {
      const label = labelAt(state.cursor);
      probabilitiesAt(state.cursor).forEach((p, c) => {
        const { line, fill, number } = this.bars[c];
        fill.style.width = `${100 * (p || 0)}%`;
        number.textContent = formatProbability(p);
        line.className = c === label ? 'predicted' : '';
      });
    });
  },

  draw() {
    [this.drawn, this.size] = [state.against, byId('map-against').clientWidth];
    withGrid(state.against, () => secondMap.draw());
    const counts = new Map();
    state.against.labels.forEach((label, k) => {
      if (hasPoint([Math.floor(k / steps), k % steps])) counts.set(label, (counts.get(label) ?? 0) + 1);
    });
    const shares = [...counts].sort((one, other) => other[1] - one[1]);
    byId('against-legend').replaceChildren(...shares.map(([c, count]) => element('li', {}, classTag(c),
      element('span', { className: 'share', textContent: `${(100 * count / run.grid.points).toFixed(1)} %` }))));
    byId('map-against').setAttribute('aria-label', `Map of the second model: ${shares.map(([c]) => nameOf(c)).join(', ')}`);
    this.drawDifference();
  },

  // Total variation: half the sum of the differences of the probabilities, 0..1.
  drawDifference() {
    const canvas = byId('map-difference');
    canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
    const context = canvas.getContext('2d');
    const [one, other] = [state.grid, state.against];
    let [apart, differing] = [0, 0];
    drawCells(context, canvas.width, (cell) => {
      let variation = 0;
      for (let c = 0; c < numClasses; c++) variation += Math.abs(one.values[cell * numClasses + c] - other.values[cell * numClasses + c]) / 2;
      const differs = one.labels[cell] !== other.labels[cell];
      apart += variation;
      differing += differs;
      return differs ? ['#1d3557', 1] : ['#919191', variation || 0];
    });
    const [share, mean] = [100 * differing / run.grid.points, apart / run.grid.points];
    byId('difference-text').textContent =
      `Different classes at ${share.toFixed(1)} % of the points; mean total variation ${Number.isNaN(mean) ? '–' : mean.toFixed(3)}.`;
    canvas.setAttribute('aria-label', byId('difference-text').textContent);
  },
};
