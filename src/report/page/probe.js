// The probe: what the classifier answers at the cursor.

const probe = {
  bars: [],

  build() {
    this.bars = classNames.map((name, c) => {
      const fill = inColor(element('span', { className: 'fill' }), c);
      const number = element('span', { className: 'value' });
      const line = element('li', {}, element('span', { className: 'role', textContent: roleOf(c) }),
        element('span', { className: 'label', textContent: name, title: name }),
        element('span', { className: 'track' }, fill), number);
      return { line, fill, number };
    });
    byId('bars').replaceChildren(...this.bars.map((bar) => bar.line));
    byId('probe-frame').hidden = !state.grid.image;
    byId('probe-row').hidden = !state.grid.rows;
  },

  update() {
    const [i, j] = state.cursor;
    const label = labelAt(state.cursor);
    probabilitiesAt(state.cursor).forEach((p, c) => {
      const { line, fill, number } = this.bars[c];
      fill.style.width = `${100 * (p || 0)}%`;
      number.textContent = formatProbability(p);
      line.className = c === label ? 'predicted' : '';
    });
    fillPairs(byId('probe-place'), [
      ['predicted', classTag(label)],
      ['margin', state.grid.margins[i * steps + j].toFixed(3)],
      ...[[run.grid.axes.down, this.place(i, 1)], [run.grid.axes.across, this.place(j, 0)]].filter(([axis]) => axis),
    ]);
    if (state.grid.image) this.drawFrame(label);
    if (state.grid.rows) this.fillRow(i, j);
  },

  // Where a row or a column lies: of a plane the coordinate and its unit, of others a share.
  place(index, axis) {
    const { overlay } = state.grid;
    const letters = axis === 0 ? ['j', 't'] : ['i', 's'];
    if (!overlay) return `${letters[0]} = ${index}, ${letters[1]} = ${fraction(index).toFixed(2)}`;
    const share = axis === 0 ? fraction(index) : 1 - fraction(index);
    const [lo, hi] = overlay.ends[axis];
    return run.grid.kind === 'plane' ? `${(lo + share * (hi - lo)).toFixed(2)} (${overlay.unit})` : share.toFixed(2);
  },

  drawFrame(label) {
    const canvas = byId('probe-frame');
    canvas.width = run.frame.width_px;
    canvas.height = run.frame.height_px;
    inColor(canvas, label);
    canvas.setAttribute('aria-label', `Frame at ${cellText(state.cursor)}`);
    drawFrame(canvas.getContext('2d'), state.cursor, 0, 0, canvas.width, canvas.height);
  },

  fillRow(i, j) {
    const start = (i * steps + j) * run.features.length;
    fillPairs(byId('probe-row'),
      run.features.map((feature, k) => [feature, state.grid.rows[start + k].toPrecision(4)]));
  },
};
