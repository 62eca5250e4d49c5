// The map: predicted classes or frames, with the cursor and the path over them.

// A class's colour as numbers, 0..255.
const channelsOf = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

// Cells as a picture of one pixel each, made as large as the canvas: many thousand rectangles would
// take longer than computing what they show. `look(cell)` is a colour, and how much of it lies over
// white.
function drawCells(context, size, look) {
  const picture = new ImageData(steps, steps);
  const known = new Map();
  for (let cell = 0; cell < steps * steps; cell++) {
    if (!hasPoint([Math.floor(cell / steps), cell % steps])) continue;
    const [color, share] = look(cell);
    if (!known.has(color)) known.set(color, channelsOf(color));
    const channels = known.get(color);
    for (let n = 0; n < 3; n++) picture.data[4 * cell + n] = Math.round(255 + (channels[n] - 255) * share);
    picture.data[4 * cell + 3] = 255;
  }
  const small = new OffscreenCanvas(steps, steps);
  small.getContext('2d').putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, size, size);
  context.imageSmoothingEnabled = true;
}

const map = {
  canvas: byId('map'),
  base: document.createElement('canvas'),
  overlays: [], // what else is drawn over the cells: (context, size in pixels) => {}

  start() {
    this.canvas.addEventListener('pointermove', (event) => setCursor(...this.cellUnder(event)));
    this.canvas.addEventListener('pointerdown', (event) => setCursor(...this.cellUnder(event)));
    this.canvas.addEventListener('click', (event) => addPathEnd(this.cellUnder(event)));
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    byId('map-mode').addEventListener('change', () => this.draw());
    new ResizeObserver(() => {
      if (state.grid) redraw();
    }).observe(this.canvas);
  },

  build() {
    const { name, classes } = state.landscape;
    byId('map-mode').hidden = !state.grid.image;
    const [a, b, c] = classes.map((index, k) => classTag(index, `${ROLES[k]} `));
    const { flat, axes } = run.grid;
    byId('corner-a').replaceChildren(flat ? c : a);
    byId('corner-b').replaceChildren(flat ? a : b);
    byId('edge-c').replaceChildren(flat ? b : c);
    byId('axis-x').textContent = axes.across;
    byId('axis-y').textContent = axes.down;
    byId('axis-x').append(' ', element('span', { textContent: '→' }));
    byId('axis-y').append(' ', element('span', { textContent: flat ? '←' : '→' }));
    this.canvas.setAttribute('aria-label',
      `Map of landscape ${name}: ${state.landscape.title}; down: ${axes.down}; across: ${axes.across}; ${steps} points a side`);
    const { label, sentence } = state.grid.overlay ?? {};
    byId('map-certificate').hidden = !sentence;
    byId('map-certificate').textContent = label === 'sampled' ? sentence : `Line: ${label} boundary. ${sentence}.`;
    const counts = new Map();
    state.grid.labels.forEach((label, k) => {
      if (hasPoint([Math.floor(k / steps), k % steps])) counts.set(label, (counts.get(label) ?? 0) + 1);
    });
    const shares = [...counts].sort((one, other) => other[1] - one[1]);
    byId('map-legend').replaceChildren(...shares.map(([c, count]) => element('li', {}, classTag(c),
      element('span', { className: 'share', textContent: `${(100 * count / run.grid.points).toFixed(1)} %` }))));
  },

  cellUnder(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width]
      .map((part) => clampIndex(Math.floor(part * steps)));
  },

  key(event) {
    const [i, j] = state.cursor;
    const jump = event.shiftKey ? 5 : 1;
    const to = {
      ArrowUp: [i - jump, j], ArrowDown: [i + jump, j], ArrowLeft: [i, j - jump],
      ArrowRight: [i, j + jump], Home: [i, 0], End: [i, steps - 1],
    }[event.key];
    if (to) setCursor(...to);
    else if (event.key === 'Enter' || event.key === ' ') addPathEnd([i, j]);
    else return;
    event.preventDefault();
    announce();
  },

  // Edges of cells on whole device pixels, so that cells and boundaries are crisp.
  edge(index) {
    return Math.round(index * this.canvas.width / steps);
  },

  middle(index) {
    return (index + 0.5) * this.canvas.width / steps;
  },

  draw() {
    const size = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (!size) return;
    for (const canvas of [this.canvas, this.base]) canvas.width = canvas.height = size;
    const context = this.base.getContext('2d');
    const showFrames = state.grid.image && document.querySelector('#map-mode input:checked').value === 'frames';
    const { labels, margins } = state.grid;
    drawCells(context, size, (cell) => [colorOf(labels[cell]), showFrames ? 1 : 0.25 + 0.75 * margins[cell]]);
    if (showFrames) this.drawFrames(context);
    if (!showFrames && !state.grid.overlay?.segments?.length) this.drawBoundaries(context);
    this.overlays.forEach((overlay) => overlay(context, size));
    if (state.grid.overlay) this.drawOverlay(context);
    this.paint();
  },

  drawFrames(context) {
    for (let i = 0; i < steps; i++) {
      for (let j = 0; j < steps; j++) if (hasPoint([i, j])) this.drawFrameOf(context, [i, j]);
    }
  },

  drawFrameOf(context, [i, j]) {
    const [x, y] = [this.edge(j), this.edge(i)];
    const [width, height] = [this.edge(j + 1) - x, this.edge(i + 1) - y];
    const border = Math.max(1, Math.round(0.08 * width));
    // As wide or as high as the cell allows, in the frame's own proportions.
    const { width_px: frameWidth, height_px: frameHeight } = run.frame;
    const zoom = (Math.min(width, height) - 2 * border) / Math.max(frameWidth, frameHeight);
    const [w, h] = [zoom * frameWidth, zoom * frameHeight];
    drawFrame(context, [i, j], x + (width - w) / 2, y + (height - h) / 2, w, h);
  },

  drawBoundaries(context) {
    const { labels } = state.grid;
    const half = Math.max(1, Math.round(0.75 * devicePixelRatio));
    context.fillStyle = 'rgb(20 20 20 / 0.8)';
    for (let i = 0; i < steps; i++) {
      for (let j = 0; j < steps; j++) {
        const [x, y, label] = [this.edge(j), this.edge(i), labels[i * steps + j]];
        if (!hasPoint([i, j])) continue;
        if (j > 0 && hasPoint([i, j - 1]) && labels[i * steps + j - 1] !== label) {
          context.fillRect(x - half, y - half, 2 * half, this.edge(i + 1) - y + 2 * half);
        }
        if (i > 0 && hasPoint([i - 1, j]) && labels[(i - 1) * steps + j] !== label) {
          context.fillRect(x - half, y - half, this.edge(j + 1) - x + 2 * half, 2 * half);
        }
      }
    }
  },

  // The boundary as it was cut, and where the items of a plane or triangle lie, in shares of the map
  // from the left and from below.
  drawOverlay(context) {
    const size = this.base.width;
    const { segments, missed } = state.grid.overlay;
    const place = (right, up) => [right * size, (1 - up) * size];
    context.lineWidth = 1.25 * devicePixelRatio;
    context.strokeStyle = '#111';
    context.beginPath();
    for (let k = 0; k < (segments?.length ?? 0); k += 4) {
      context.moveTo(...place(segments[k], segments[k + 1]));
      context.lineTo(...place(segments[k + 2], segments[k + 3]));
    }
    context.stroke();
    // Parts of a class that no point of the grid hits.
    for (const [right, up] of missed ?? []) {
      for (const [color, width] of [['#fff', 4], ['#111', 1.5]]) {
        context.strokeStyle = color;
        context.lineWidth = width * devicePixelRatio;
        context.beginPath();
        context.arc(...place(right, up), 9 * devicePixelRatio, 0, 2 * Math.PI);
        context.stroke();
      }
    }
    const radius = 8 * devicePixelRatio;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.font = `600 ${11 * devicePixelRatio}px system-ui, sans-serif`;
    state.grid.overlay.anchors.forEach(([right, up], k) => {
      // A box may leave its items out.
      if (Math.min(right, up) < 0 || Math.max(right, up) > 1) return;
      const [x, y] = [right * size, (1 - up) * size];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = '#fff';
      context.fill();
      context.lineWidth = 1.5 * devicePixelRatio;
      context.strokeStyle = context.fillStyle = '#111';
      context.stroke();
      context.fillText(ROLES[k], x, y);
    });
  },

  // The picture underneath is kept; cursor and path are drawn over a copy of it.
  paint() {
    if (!this.base.width) return;
    const context = this.canvas.getContext('2d');
    context.drawImage(this.base, 0, 0);
    this.paintPath(context);
    const [i, j] = state.cursor;
    const [x, y] = [this.edge(j), this.edge(i)];
    const [width, height] = [this.edge(j + 1) - x, this.edge(i + 1) - y];
    for (const [color, grow] of [['#fff', 2], ['#111', 0.5]]) {
      context.strokeStyle = color;
      context.lineWidth = 1.5 * devicePixelRatio;
      const margin = grow * devicePixelRatio;
      context.strokeRect(x - margin, y - margin, width + 2 * margin, height + 2 * margin);
    }
  },

  paintPath(context) {
    const points = state.path.map(([i, j]) => [this.middle(j), this.middle(i)]);
    for (const [color, width] of [['#fff', 5], ['#111', 2]]) {
      context.strokeStyle = context.fillStyle = color;
      context.lineWidth = width * devicePixelRatio;
      context.beginPath();
      for (const [x, y] of points) context.lineTo(x, y);
      context.stroke();
      for (const [x, y] of points) {
        context.beginPath();
        context.arc(x, y, (width / 2 + 3) * devicePixelRatio, 0, 2 * Math.PI);
        context.fill();
      }
    }
  },
};
