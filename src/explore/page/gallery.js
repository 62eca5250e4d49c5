// The gallery: items of a class, or those that a search finds. Only what can be seen is there, so
// that a hundred thousand items scroll like a hundred.

const gallery = {
  box: byId('gallery'),
  space: element('div', { className: 'space' }),
  cell: run.features ? [0, 30] : [62, 62], // pixels; of a row the width of the box
  positions: new Uint32Array(0),
  shown: new Map(),
  current: 0,
  asked: 0,

  build() {
    const choice = (value, textContent) => element('option', { value, textContent });
    byId('gallery-class').replaceChildren(choice('', 'all'), ...classNames.map((name, c) => choice(c, name)));
    byId('gallery-class').addEventListener('change', () => this.list());
    byId('gallery-search').addEventListener('input', () => this.list());
    this.box.append(this.space);
    this.box.addEventListener('scroll', () => this.draw());
    this.box.addEventListener('click', (event) => this.clicked(event));
    this.box.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.box);
    return this.list();
  },

  async list() {
    const number = ++this.asked;
    const c = byId('gallery-class').value;
    const positions = await source.members({
      class: c === '' ? null : Number(c), search: byId('gallery-search').value,
    }).catch((error) => tell(error.message));
    if (!positions || number !== this.asked) return;
    this.positions = positions;
    this.current = 0;
    byId('gallery-count').textContent = `${positions.length} of ${run.num_items}`;
    this.box.scrollTop = 0;
    this.clear();
    this.draw();
  },

  clear() {
    this.shown.clear();
    this.space.replaceChildren();
  },

  columns() {
    return run.features ? 1 : Math.max(1, Math.floor(this.box.clientWidth / this.cell[0]));
  },

  // Cells in sight and a screen around them; what is asked for goes along lines of whole screens.
  draw() {
    const columns = this.columns();
    if (columns !== this.drawn) this.clear();
    this.drawn = columns;
    const height = this.cell[1];
    this.space.style.height = `${Math.ceil(this.positions.length / columns) * height}px`;
    const rows = Math.ceil(this.box.clientHeight / height);
    const first = Math.max(0, Math.floor(this.box.scrollTop / height) - rows) * columns;
    const last = Math.min(this.positions.length, first + 3 * (rows + 1) * columns);
    for (const [at, button] of this.shown) {
      if (at >= first && at < last) continue;
      button.remove();
      this.shown.delete(at);
    }
    for (let at = first; at < last; at++) if (!this.shown.has(at)) this.add(at, columns);
    this.fill();
  },

  add(at, columns) {
    const [width, height] = this.cell;
    const button = element('button', { type: 'button', tabIndex: at === this.current ? 0 : -1 });
    button.dataset.at = at;
    button.style.left = `${(at % columns) * width}px`;
    button.style.top = `${Math.floor(at / columns) * height}px`;
    button.style.width = run.features ? '100%' : `${width}px`;
    button.style.height = `${height}px`;
    button.setAttribute('aria-label', `item ${this.positions[at]}`);
    button.setAttribute('aria-pressed', this.isTaken(at));
    this.shown.set(at, button);
    this.space.append(button);
  },

  // Fast scrolling passes over what it does not stop at.
  fill() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(async () => {
      const empty = [...this.shown].filter(([, button]) => !button.firstChild);
      for (let from = 0; from < empty.length; from += 60) {
        const part = empty.slice(from, from + 60).filter(([at, button]) => this.shown.get(at) === button);
        await items.load(part.map(([at]) => this.positions[at])).catch((error) => tell(error.message));
        for (const [at, button] of part) this.fillOne(button, items.known.get(this.positions[at]));
      }
    }, 30);
  },

  fillOne(button, item) {
    if (!item || button.firstChild) return;
    button.setAttribute('aria-label', `${item.name}, ${classNames[item.class]}`);
    button.title = `${item.name}, ${classNames[item.class]}`;
    if (item.row) {
      button.append(classTag(item.class), ` ${item.name}: ${item.row.slice(0, 8).map((x) => x.toPrecision(3)).join(', ')}`);
      return;
    }
    const thumb = element('span', { className: 'thumb' });
    items.paint(thumb, item.picture, 56);
    button.append(thumb);
  },

  isTaken(at) {
    return anchors.picks.some((pick) => pick?.item === this.positions[at]);
  },

  mark() {
    for (const [at, button] of this.shown) button.setAttribute('aria-pressed', this.isTaken(at));
  },

  clicked(event) {
    const button = event.target.closest('button');
    if (!button) return;
    this.focusOn(Number(button.dataset.at), false);
    anchors.take(this.positions[this.current]);
  },

  focusOn(at, moves = true) {
    this.shown.get(this.current)?.setAttribute('tabindex', '-1');
    this.current = Math.min(this.positions.length - 1, Math.max(0, at));
    const top = Math.floor(this.current / this.columns()) * this.cell[1];
    if (moves && top < this.box.scrollTop) this.box.scrollTop = top;
    if (moves && top + this.cell[1] > this.box.scrollTop + this.box.clientHeight) {
      this.box.scrollTop = top + this.cell[1] - this.box.clientHeight;
    }
    this.draw();
    const button = this.shown.get(this.current);
    button?.setAttribute('tabindex', '0');
    if (moves) button?.focus({ preventScroll: true });
  },

  key(event) {
    const columns = this.columns();
    const page = columns * Math.floor(this.box.clientHeight / this.cell[1]);
    const by = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page,
      Home: -Infinity, End: Infinity,
    }[event.key];
    if (by === undefined || !event.target.closest('button')) return;
    event.preventDefault();
    this.focusOn(this.current + by);
  },
};
