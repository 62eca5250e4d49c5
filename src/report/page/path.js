// The path between two cells: frames in a strip and probabilities in a chart.

const path = {
  // The grid points nearest to the straight line, one for each step along its longer side.
  cells() {
    if (state.path.length < 2) return [];
    const [[i0, j0], [i1, j1]] = state.path;
    const count = Math.max(Math.abs(i1 - i0), Math.abs(j1 - j0), 1);
    return Array.from({ length: count + 1 }, (_, k) =>
      [Math.round(i0 + (i1 - i0) * k / count), Math.round(j0 + (j1 - j0) * k / count)]);
  },

  // The triple's classes and every class that reaches one half on the way.
  classes(cells) {
    const reaching = classNames.map((_, c) => c).filter((c) => cells.some((cell) => probability(cell, c) >= 0.5));
    return [...new Set([...state.landscape.classes, ...reaching])];
  },

  start() {
    byId('path-row').addEventListener('click', () =>
      setPath([[state.cursor[0], 0], [state.cursor[0], steps - 1]]));
    byId('path-column').addEventListener('click', () =>
      setPath([[0, state.cursor[1]], [steps - 1, state.cursor[1]]]));
    byId('path-clear').addEventListener('click', () => setPath([]));
    const follow = (event) => {
      const cells = this.cells();
      const at = Math.floor((event.clientX - byId('strip').getBoundingClientRect().left - this.left) / this.step);
      if (cells[at]) setCursor(...cells[at]);
    };
    byId('path-box').addEventListener('pointermove', follow);
    byId('path-box').addEventListener('pointerdown', follow);
  },

  show() {
    const cells = this.cells();
    byId('path-clear').disabled = state.path.length === 0;
    byId('path-box').hidden = cells.length === 0;
    byId('path-text').textContent = this.describe(cells);
    byId('path-legend').replaceChildren();
    if (!cells.length) return;
    const classes = this.classes(cells);
    this.left = 40;
    const room = byId('path-box').clientWidth - this.left - 8;
    this.step = Math.min(64, Math.max(24, Math.floor(room / cells.length)));
    this.fillStrip(cells);
    byId('chart').replaceChildren(this.chart(cells, classes));
    byId('path-legend').replaceChildren(element('li', { textContent: 'Probability of' }), ...classLines(classes));
  },

  describe(cells) {
    if (state.path.length === 0) return 'Click two points of the map or of the surface to see what lies between them.';
    if (state.path.length === 1) return `From ${cellText(state.path[0])}; now the other end.`;
    const labels = cells.map(labelAt);
    const turns = labels.filter((label, k) => k === 0 || label !== labels[k - 1]);
    const changes = turns.length - 1;
    return `From ${cellText(state.path[0])} to ${cellText(state.path[1])}: ${cells.length} points, ` +
      `${changes} label ${changes === 1 ? 'change' : 'changes'}: ${turns.map(nameOf).join(' → ')}.`;
  },

  fillStrip(cells) {
    const strip = byId('strip');
    strip.style.paddingLeft = `${this.left}px`;
    strip.replaceChildren(...cells.map((cell) => {
      const label = labelAt(cell);
      const text = describeCell(cell);
      const picture = inColor(element('canvas', { title: text }), label);
      picture.setAttribute('role', 'img');
      picture.setAttribute('aria-label', text);
      if (state.grid.image) {
        picture.width = run.frame.width_px;
        picture.height = run.frame.height_px;
        drawFrame(picture.getContext('2d'), cell, 0, 0, picture.width, picture.height);
      } else [picture.width, picture.height] = [4, 1];
      const place = element('li', {}, picture);
      place.style.width = `${this.step}px`;
      return place;
    }));
  },

  // A cell without an answer leaves a gap.
  curve(cells, c, x, y) {
    let pen = 'M';
    return cells.map((cell, k) => {
      const p = probability(cell, c);
      const mark = Number.isNaN(p) ? '' : `${pen}${x(k)},${y(p).toFixed(2)}`;
      pen = mark ? 'L' : 'M';
      return mark;
    }).join('');
  },

  // Point k of the chart stands under frame k of the strip.
  chart(cells, classes) {
    const [top, height] = [8, 150];
    const width = this.left + this.step * cells.length + 8;
    const x = (k) => this.left + (k + 0.5) * this.step;
    const y = (p) => top + (1 - p) * height;
    const svg = svgElement('svg', {
      width, height: top + height + 24, class: 'chart', role: 'img', 'aria-label': 'Probabilities along the path',
    });
    for (const tick of [0, 0.5, 1]) {
      svg.append(
        svgElement('line', { x1: this.left, x2: width - 8, y1: y(tick), y2: y(tick), class: 'rule' }),
        svgElement('text', { x: this.left - 8, y: y(tick), class: 'tick end' }, tick.toString()));
    }
    const every = Math.ceil(28 / this.step);
    cells.forEach((_, k) => {
      if (k % every === 0) svg.append(svgElement('text', { x: x(k), y: y(0) + 16, class: 'tick middle' }, String(k)));
    });
    for (const c of classes.toReversed()) {
      svg.append(inColor(svgElement('path', {
        d: this.curve(cells, c, x, y), class: roleOf(c) ? 'curve' : 'curve intruder',
      }), c));
    }
    return svg;
  },
};
