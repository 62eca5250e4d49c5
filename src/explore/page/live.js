// The landscape, asked for anew with every change: coarse at once, then finer.

const LEVELS = [11, 21, 81, 201];
// Grids up to so many steps are measured and drawn as surfaces: of larger ones the surface is that of
// the grid before, and measures would take longer than the answers.
const MOST_OF_SURFACE = 101;
// Pixels of a picture of frames that the server makes.
const MOST_OF_FRAMES = 4096;

function tell(sentence) {
  byId('problem').hidden = !sentence;
  byId('problem').textContent = sentence ?? '';
}

const live = {
  asked: 0,
  request: null,
  frames: null, // the request for frames
  isCoarse: false,
  place: [0.5, 0.5], // of the cursor, 0..1, whatever the grid
  ends: [],
  log: [], // what tests read: steps, and milliseconds from the change until they were drawn

  view(size, measures = false) {
    const picks = anchors.picks.map(({ item, own, row }) => item !== undefined ? { item } : row ? { row } : { own });
    const line = settings.line();
    return { items: picks, morph: settings.morph(size), flat: settings.flat(), ...(line ? { line } : {}), measures: measures && !line };
  },

  key() {
    const { items: picks, morph, flat, line } = this.view(2);
    return JSON.stringify([picks, morph, flat, line]);
  },

  levels() {
    return [...LEVELS.filter((size) => size < settings.steps), settings.steps];
  },

  // A coarse picture on its way is drawn first, or fast dragging would show nothing at all;
  // anything finer is given up.
  ask() {
    if (anchors.picks.some((pick) => !pick)) return;
    this.asked++;
    this.since = performance.now();
    address.follow();
    if (this.isCoarse) return;
    this.request?.abort();
    this.run();
  },

  async run() {
    const request = this.request = new AbortController();
    let ofSurface = null;
    for (const size of this.levels()) {
      const [number, since, key] = [this.asked, this.since, this.key()];
      const isLast = size === settings.steps;
      this.isCoarse = size === this.levels()[0];
      let answer;
      try {
        answer = await source.view(this.view(size, isLast && size <= MOST_OF_SURFACE), request.signal);
      } catch (error) {
        if (request.signal.aborted) return;
        this.isCoarse = false;
        if (number !== this.asked) {
          this.run();
          return;
        }
        tell(error.message);
        return;
      }
      if (request.signal.aborted) return;
      this.isCoarse = false;
      this.take(answer);
      this.log.push({ steps: size, ms: performance.now() - since, compute_ms: answer.compute_ms });
      if (this.log.length > 5000) this.log.splice(0, 1000);
      byId('progress').textContent = `${line.isOn() ? size : `${size} x ${size}`} points in ${answer.compute_ms.toFixed(1)} ms`;
      if (number !== this.asked) {
        this.run();
        return;
      }
      tell(null);
      // Pictures of coarser grids would be computed beside the finer grid that is waited for.
      if (isLast) this.loadFrames(state.grid, this.view(size), request.signal);
      if (size <= MOST_OF_SURFACE) ofSurface = [state.grid, size];
      if (isLast && size > MOST_OF_SURFACE) byId('measures').replaceChildren();
      if (isLast) (line.isOn() ? line : boundary).ask(key, this.view(size), request.signal);
    }
    document.documentElement.dataset.settled = this.asked;
    // A task of its own: drawing the surface holds the page up for longer than all the rest.
    setTimeout(() => {
      if (!request.signal.aborted && ofSurface && !line.isOn()) this.drawSurface(...ofSurface);
    }, 50);
  },

  // Without a jump: cursor and path keep their places, the page its layout.
  take({ steps: size, grid, overlay, title, classes, items: names, values, models, rows }) {
    steps = size;
    const isNewKind = run.grid.kind !== grid.kind;
    run.grid = grid;
    state.grid = gridOfValues(models[0], rows, overlay);
    state.against = models[1] ? gridOfValues(models[1], null, overlay) : null;
    const before = state.landscape;
    const predicted = [...new Set(state.grid.labels)].filter((c) => c !== NO_ANSWER && !classes.includes(c));
    state.landscape = { name: 'view', title, classes, items: names, intruders: predicted, detail: true };
    this.placeMarks();
    byId('landscape-heading').textContent = title;
    if (isNewKind || !before) this.newKind();
    if (isNewKind || before?.classes.join() !== classes.join()) this.newClasses(classes);
    if (line.isOn()) line.draw();
    else map.build();
    if (!run.frame) byId('map-mode').hidden = true;
    byId('probe-frame').classList.add('stale');
    if (values) {
      fillPairs(byId('measures'), run.columns.flatMap((column, k) =>
        run.overview.includes(column.key) ? [[column.label, formatMeasure(values[k], column.format)]] : []));
    }
    redraw();
    against.update();
  },

  newKind() {
    byId('about').textContent = run.grid.about;
    const isLine = line.isOn();
    byId('line-part').hidden = !isLine;
    for (const part of ['.map-part', '.surface-part', '.path-part .buttons']) {
      document.querySelectorAll(part).forEach((node) => { node.hidden = isLine; });
    }
    byId('difference-part').hidden = isLine;
    byId('measures').hidden = isLine;
    byId('path-row').textContent = run.grid.flat ? 'Row' : 'Row into C';
    byId('path-column').textContent = run.grid.flat ? 'Column' : 'Column A to B';
  },

  newClasses(classes) {
    anchors.showClasses(classes);
    probe.build();
    if (!line.isOn()) surface.fillChoices();
    // A frame that was there is replaced when the new one has come, not taken away in between.
    byId('probe-frame').hidden = !byId('probe-frame').ariaLabel;
    byId('probe-row').hidden = !run.features;
    against.build();
  },

  async loadFrames(grid, view, signal) {
    if (!run.frame) return;
    // The server would refuse the older request for the newer one's sake.
    this.frames?.abort();
    const frames = this.frames = new AbortController();
    signal.addEventListener('abort', () => frames.abort());
    if (view.morph.steps * Math.max(run.frame.tile_width_px, run.frame.tile_height_px) > MOST_OF_FRAMES) {
      byId('probe-frame').hidden = true;
      return;
    }
    try {
      const image = await createImageBitmap(await source.frames(view, frames.signal));
      if (grid !== state.grid) return;
      grid.image = image;
    } catch {
      return; // The map and its numbers are there without their pictures.
    }
    byId('probe-frame').hidden = false;
    byId('probe-frame').classList.remove('stale');
    if (!line.isOn()) map.build();
    redraw();
  },

  // Of a grid that may be coarser than the one on the map; the surface reads the state while it is
  // called, and not after.
  drawSurface(grid, size) {
    const before = [state.grid, steps, state.cursor, state.path];
    [state.grid, steps] = [grid, size];
    this.placeMarks();
    surface.fillChoices();
    surface.draw();
    [state.grid, steps, state.cursor, state.path] = before;
  },

  // Cursor and path at their places on the grid that is shown.
  placeMarks() {
    const cellOf = (place) => place.map((part) => clampIndex(Math.round(part * (steps - 1))));
    if (line.isOn()) {
      [state.cursor, state.path] = [[0, cellOf(this.place)[1]], [[0, 0], [0, steps - 1]]];
      return;
    }
    state.cursor = cellOf(this.place);
    state.path = this.ends.map(cellOf);
  },

  // The user's own moves; those of `take` are none.
  follow() {
    if (line.isOn()) {
      this.place = [this.place[0], fraction(state.cursor[1])];
      address.follow();
      return;
    }
    this.place = state.cursor.map(fraction);
    this.ends = state.path.map((cell) => cell.map(fraction));
    address.follow();
  },
};
