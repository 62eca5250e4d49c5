// The exact boundary over the map, where the grid lies in a plane and the network is piecewise linear.
// Pieces are shares of the map, down and across.

const boundary = {
  key: null,
  pieces: [],

  start() {
    map.overlays.push((context, size) => this.draw(context, size));
  },

  async ask(key, view, signal) {
    if (!settings.exact || this.key === key) return;
    try {
      const { pieces, regions } = await source.boundary(view, signal);
      if (signal.aborted) return;
      [this.key, this.pieces] = [key, pieces];
      byId('progress').textContent += `; the exact boundary of ${regions} regions is drawn over the map`;
      redraw();
    } catch (error) {
      if (!signal.aborted) tell(`No exact boundary: ${error.message}.`);
    }
  },

  // Grid points are the middles of cells: shares run from middle to middle.
  draw(context, size) {
    if (!settings.exact || this.key !== live.key()) return;
    const place = (part) => (part * (steps - 1) + 0.5) * size / steps;
    for (const [color, width] of [['#fff', 4], ['#b3001b', 1.75]]) {
      context.strokeStyle = color;
      context.lineWidth = width * devicePixelRatio;
      context.beginPath();
      for (let k = 0; k < this.pieces.length; k += 4) {
        const [top, left, bottom, right] = this.pieces.slice(k, k + 4).map(place);
        context.moveTo(left, top);
        context.lineTo(right, bottom);
      }
      context.stroke();
    }
  },
};
