// The exact boundary of each model over its map, where the grid lies in a plane and the network is
// piecewise linear. Pieces are shares of the map, down and across.

const boundary = {
  key: null,
  models: [], // of each {pieces, regions} or {refused}

  start() {
    [map, secondMap].forEach((each, n) => each.overlays.push((context, size) => this.draw(n, context, size)));
  },

  async ask(key, view, signal) {
    if (!settings.exact || this.key === key) return;
    try {
      const { models } = await source.boundary(view, signal);
      if (signal.aborted) return;
      [this.key, this.models] = [key, models];
      const drawn = models.filter(({ pieces }) => pieces).map(({ regions }) => regions);
      byId('progress').textContent += drawn.length > 1
        ? `; the exact boundaries of ${drawn.join(' and ')} regions are drawn over the maps`
        : `; the exact boundary of ${drawn[0]} regions is drawn over the map`;
      models.forEach(({ refused }, n) => refused && tell(`No exact boundary of ${run.models[n]}: ${refused}.`));
      redraw();
      against.update();
    } catch (error) {
      if (!signal.aborted) tell(`No exact boundary: ${error.message}.`);
    }
  },

  // Grid points are the middles of cells: shares run from middle to middle.
  draw(n, context, size) {
    const pieces = this.models[n]?.pieces;
    if (!pieces || !settings.exact || this.key !== live.key()) return;
    const place = (part) => (part * (steps - 1) + 0.5) * size / steps;
    for (const [color, width] of [['#fff', 4], ['#b3001b', 1.75]]) {
      context.strokeStyle = color;
      context.lineWidth = width * devicePixelRatio;
      context.beginPath();
      for (let k = 0; k < pieces.length; k += 4) {
        const [top, left, bottom, right] = pieces.slice(k, k + 4).map(place);
        context.moveTo(left, top);
        context.lineTo(right, bottom);
      }
      context.stroke();
    }
  },
};
