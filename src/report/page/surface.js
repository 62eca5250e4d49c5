// The 3-D surface by plotly.js, whose one WebGL canvas every landscape uses again.

const CAMERA = {
  eye: { x: -0.8, y: -1.9, z: 1.15 }, center: { x: 0, y: 0, z: -0.14 }, projection: { type: 'orthographic' },
};
// Where several surfaces lie on the floor they would flicker through each other: there they are cut out.
const FLOOR = 0.01;
const TOGETHER = 'together';

const surface = {
  box: byId('surface'),
  select: byId('surface-class'),
  library: null,
  camera: CAMERA,
  plan: {}, // the one layout object: the library keeps writing the camera to the first it was given
  under: null,
  pressed: null,
  waiting: 0,

  start() {
    this.select.addEventListener('change', () => this.draw());
    byId('reset-view').addEventListener('click', () => this.look(CAMERA));
    byId('zoom-in').addEventListener('click', () => this.turn(0, 0, 0.85));
    byId('zoom-out').addEventListener('click', () => this.turn(0, 0, 1 / 0.85));
    byId('surface-box').addEventListener('keydown', (event) => this.key(event));
    this.watchClicks();
  },

  // plotly_click also comes when a drag begins; a press and a release on one spot is a click.
  // Plotly looks for the point under a mouse only, so a tap is told to it as a mouse.
  watchClicks() {
    this.box.addEventListener('pointerdown', (event) => {
      this.pressed = [event.clientX, event.clientY];
    }, true);
    addEventListener('pointerup', (event) => {
      if (!this.pressed) return;
      const { clientX, clientY, target } = event;
      const moved = Math.hypot(clientX - this.pressed[0], clientY - this.pressed[1]);
      const tapped = event.pointerType !== 'mouse';
      this.pressed = null;
      this.moveMarks();
      if (moved > 5) return;
      if (tapped) target.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY, bubbles: true }));
      setTimeout(() => this.under && addPathEnd(this.under), tapped ? 200 : 0);
    }, true);
    addEventListener('pointercancel', () => { this.pressed = null; }, true);
  },

  // Inflated after the rest of the page is on screen; it is most of the file.
  async load() {
    if (!hasWebGl()) return this.giveUp('The surface needs WebGL, which is not available here. The map shows the same grid.');
    runLibrary(await source.library());
    this.library = window.Plotly;
    byId('surface-message').hidden = true;
    byId('surface-buttons').hidden = false;
    await this.draw();
  },

  giveUp(reason) {
    byId('surface-message').textContent = reason;
    byId('surface-box').classList.add('absent');
    byId('surface-hint').hidden = true;
    byId('surface-box').tabIndex = -1;
    this.select.disabled = true;
  },

  fillChoices() {
    const before = this.select.value;
    const { classes, intruders } = state.landscape;
    const option = (value, text) => element('option', { value, textContent: text });
    const named = (c) => option(String(c), classNames[c]);
    const leading = leadingClasses();
    const rest = classNames.map((_, c) => c).filter((c) => !leading.includes(c));
    const group = (label, options) =>
      options.length ? [element('optgroup', { label }, ...options)] : [];
    this.select.replaceChildren(
      option(TOGETHER, 'predicted classes together'),
      ...group('triple', ROLES.map((role, k) => option(role, `${role} ${classNames[classes[k]]}`))),
      ...group('intruders', intruders.filter((c) => !classes.includes(c)).map(named)),
      ...group('other classes', rest.map(named)));
    this.select.value = before;
    if (!this.select.value) this.select.value = TOGETHER;
  },

  shownClasses() {
    const { value } = this.select;
    if (value === TOGETHER) return leadingClasses();
    return [ROLES.includes(value) ? state.landscape.classes[ROLES.indexOf(value)] : Number(value)];
  },

  async draw() {
    if (!this.library || !state.grid) return;
    const classes = this.shownClasses();
    const together = this.select.value === TOGETHER;
    byId('surface-legend').replaceChildren(...classLines(classes));
    const traces = classes.map((c) => this.surfaceTrace(c, together));
    const fresh = !this.box.data;
    await this.library.react(this.box, [...traces, this.pathTrace(), this.cursorTrace()],
      Object.assign(this.plan, this.layout()),
      { responsive: true, displaylogo: false, displayModeBar: false, scrollZoom: false });
    if (!fresh) return;
    for (const name of ['plotly_hover', 'plotly_click']) this.box.on(name, (event) => this.hovered(event));
    this.box.on('plotly_unhover', () => { this.under = null; });
    this.box.on('plotly_relayout', (event) => { this.camera = event['scene.camera'] ?? this.camera; });
  },

  hovered(event) {
    const point = event.points[0];
    this.under = [point.y, point.x].map((part) => clampIndex(Math.round(part * (steps - 1))));
    setCursor(...this.under);
  },

  // Whether the surface of a class lies on the floor at a point and all around it.
  liesOnFloor(i, j, c) {
    for (const row of [i - 1, i, i + 1]) {
      for (const column of [j - 1, j, j + 1]) {
        if (probability([clampIndex(row), clampIndex(column)], c) >= FLOOR) return false;
      }
    }
    return true;
  },

  surfaceTrace(c, together) {
    const places = Array.from({ length: steps }, (_, k) => fraction(k));
    const flat = [[0, colors[c]], [1, colors[c]]];
    const height = (i, j) => (together && this.liesOnFloor(i, j, c) ? null : probability([i, j], c));
    return {
      type: 'surface', x: places, y: places, z: places.map((_, i) => places.map((_, j) => height(i, j))),
      hoverinfo: 'none', cmin: 0, cmax: 1, colorscale: together ? flat : 'Viridis', showscale: !together,
      colorbar: {
        x: 1, xanchor: 'right', y: 0.98, yanchor: 'top', len: 0.4, thickness: 10, outlinewidth: 0,
        tickvals: [0, 0.5, 1], tickfont: { size: 10, color: ink('color') },
      },
      lighting: { ambient: 0.85, diffuse: 0.35, specular: 0.05, roughness: 0.9 },
      contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
    };
  },

  markPoints(cells) {
    const classes = this.shownClasses();
    const height = (cell) => Math.max(...classes.map((c) => probability(cell, c))) + 0.025;
    return {
      x: cells.map(([, j]) => fraction(j)), y: cells.map(([i]) => fraction(i)), z: cells.map(height),
    };
  },

  pathTrace() {
    const cells = state.path.length === 2 ? path.cells() : state.path;
    return {
      type: 'scatter3d', mode: 'lines+markers', hoverinfo: 'none', showlegend: false, ...this.markPoints(cells),
      line: { color: ink('color'), width: 5 }, marker: { color: ink('color'), size: 2.5 },
    };
  },

  cursorTrace() {
    return {
      type: 'scatter3d', mode: 'markers', hoverinfo: 'none', showlegend: false, ...this.markPoints([state.cursor]),
      marker: { color: '#fff', size: 6, line: { color: '#111', width: 2 } },
    };
  },

  // A redraw costs a frame or more, so the marks follow when the pointer rests, and never while
  // the surface itself is being turned.
  moveMarks() {
    if (!this.box.data) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      if (this.pressed || !state.grid) return;
      const [line, cursor] = [this.pathTrace(), this.cursorTrace()];
      const last = this.box.data.length;
      this.library.restyle(this.box,
        { x: [line.x, cursor.x], y: [line.y, cursor.y], z: [line.z, cursor.z] }, [last - 2, last - 1]);
    }, 60);
  },

  layout() {
    const [a, b, c] = state.landscape.classes.map((index) => classNames[index]);
    const { flat, axes } = run.grid;
    const [across, down] = flat ? [axes.across, axes.down] : [`${axes.across} (${c})`, `mix A (${a})\nto B (${b})`];
    const { overlay } = state.grid;
    const text = (axis, share) => {
      const [lo, hi] = overlay.ends[axis];
      return (lo + share * (hi - lo)).toFixed(run.grid.kind === 'plane' ? 1 : 2);
    };
    const [sideways, upright] = flat
      ? [{ ticktext: [0, 0.5, 1].map((share) => text(0, share)) }, { ticktext: [1, 0.5, 0].map((share) => text(1, share)) }]
      : [{}, {}];
    const side = this.box.clientWidth < 480 ? 1 : 1.15;
    const axis = (title, extra) => ({
      title: { text: withoutTags(title), font: { size: 12 } }, color: ink('color'), tickfont: { size: 10 },
      gridcolor: ink('borderTopColor'), zeroline: false, showspikes: false, showbackground: false,
      range: [0, 1], tickvals: [0, 0.5, 1], ...extra,
    });
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, uirevision: 'kept',
      paper_bgcolor: ink('backgroundColor'), font: { family: getComputedStyle(document.body).fontFamily, color: ink('color') },
      scene: {
        camera: structuredClone(this.camera), dragmode: 'turntable', aspectmode: 'manual', aspectratio: { x: side, y: side, z: 0.7 * side },
        bgcolor: ink('backgroundColor'),
        // A lies at the back and B in front, as A is above B on the map.
        xaxis: axis(across, sideways), yaxis: axis(down, { range: [1, 0], ...upright }),
        zaxis: axis('probability', { range: [0, 1.04] }) // room for the marks over 1,
      },
    };
  },

  look(camera) {
    if (!this.library) return;
    this.camera = camera;
    this.library.relayout(this.box, { 'scene.camera': structuredClone(camera) });
  },

  // Angles in degrees around and above the middle; `zoom` multiplies the distance.
  turn(around, above, zoom = 1) {
    const { eye, ...rest } = this.camera;
    const distance = Math.hypot(eye.x, eye.y, eye.z) * zoom;
    const azimuth = Math.atan2(eye.y, eye.x) + around * Math.PI / 180;
    const limit = Math.PI / 2 - 0.05;
    const elevation = Math.max(-limit, Math.min(limit, Math.asin(eye.z * zoom / distance) + above * Math.PI / 180));
    this.look({
      ...rest,
      eye: {
        x: distance * Math.cos(elevation) * Math.cos(azimuth),
        y: distance * Math.cos(elevation) * Math.sin(azimuth), z: distance * Math.sin(elevation),
      },
    });
  },

  key(event) {
    const turns = {
      ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10],
      '+': [0, 0, 0.85], '-': [0, 0, 1 / 0.85],
    };
    if (event.key === '0') this.look(CAMERA);
    else if (turns[event.key]) this.turn(...turns[event.key]);
    else return;
    event.preventDefault();
  },
};

// The library sets its labels by reading pixels of one canvas, made while it loads; browsers
// warn unless such a canvas says so when it is made.
function runLibrary(text) {
  const canvas = HTMLCanvasElement.prototype;
  const { getContext } = canvas;
  canvas.getContext = function (kind, options) {
    return getContext.call(this, kind, kind === '2d' ? { willReadFrequently: true, ...options } : options);
  };
  // The page's policy knows the library by its hash.
  document.head.append(element('script', { textContent: text }));
  canvas.getContext = getContext;
}

// The theme lives in the style sheet; Plotly gets its colours from the box it draws in.
const ink = (property) => getComputedStyle(byId('surface-box'))[property];

// Plotly reads tags in titles and knows no way to quote them; class names are the user's.
const withoutTags = (text) => text.replaceAll('<', '‹').replaceAll('\n', '<br>');

// The test's own context is given back at once: the page keeps a single live one.
function hasWebGl() {
  const context = document.createElement('canvas').getContext('webgl');
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return Boolean(context);
}
