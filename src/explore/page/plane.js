// The box of a plane, moved and made wider or narrower: on the maps by the wheel, by dragging, by two
// fingers and by keys, and by the buttons beside the number.
//
// A box is [[left, right], [below, above]]: how far it reaches beyond the three items, of alpha and
// of beta, as shares of their own side; below 0 it ends before them. As in the plan of a run.

const plane = {
  canvases: ['map', 'map-against', 'map-difference'],
  pointers: new Map(), // those that are down: where they are
  moved: false, // whether the pointer that is down has dragged
  scrolled: -Infinity, // when the page was last scrolled by the wheel

  // As src/sections/plane.rs has them.
  FARTHEST: 100,
  NARROWEST: 1e-3,
  DRAG: 5, // pixels that a click may move

  start() {
    byId('map-keys').after(byId('plane-keys'));
    for (const id of this.canvases) {
      const canvas = byId(id);
      canvas.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
      for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel']) {
        canvas.addEventListener(type, (event) => this[type](event));
      }
      // Before the canvas's own: the end of a drag is no click.
      canvas.parentElement.addEventListener('click', (event) => {
        if (this.moved) event.stopPropagation();
        this.moved = false;
      }, true);
      canvas.parentElement.addEventListener('keydown', (event) => this.key(event), true);
    }
    addEventListener('wheel', (event) => {
      if (!this.canvases.includes(event.target.id)) this.scrolled = event.timeStamp;
    }, { passive: true });
    const buttons = [['box-out', 1.5], ['box-in', 1 / 1.5]];
    for (const [id, by] of buttons) byId(id).addEventListener('click', () => this.zoom(by, [0.5, 0.5]));
    byId('box-reset').addEventListener('click', () => this.set(settings.BOX));
  },

  isOn: () => settings.kind === 'plane',

  // Shares of the way along alpha and beta from the first to the last point of the map.
  under(event) {
    const box = event.target.getBoundingClientRect();
    const share = (part) => (part * steps - 0.5) / Math.max(1, steps - 1);
    return [share((event.clientX - box.left) / box.width), share(1 - (event.clientY - box.top) / box.height)];
  },

  // From where to where the box reaches, in sides of the items.
  ends: () => settings.box.map(([before, behind]) => [-before, 1 + behind]),

  zoom(by, [across, up]) {
    this.reach(this.ends().map(([lo, hi], axis) => {
      const at = lo + [across, up][axis] * (hi - lo);
      return [at + (lo - at) * by, at + (hi - at) * by];
    }));
  },

  // By shares of its own sides.
  pan(across, up) {
    this.reach(this.ends().map(([lo, hi], axis) => {
      const by = [across, up][axis] * (hi - lo);
      return [lo + by, hi + by];
    }));
  },

  // What cannot be shown stays as it was.
  reach(ends) {
    const fits = ([lo, hi]) => Math.max(Math.abs(lo), Math.abs(hi - 1)) <= this.FARTHEST &&
      hi - lo >= this.NARROWEST * Math.max(1, Math.abs(lo), Math.abs(hi));
    if (!ends.every(fits)) return;
    this.set(ends.map(([lo, hi]) => [-lo, hi - 1].map((share) => Number(share.toFixed(6)))));
  },

  // Cursor and path stay with the plane; the ends of a path that is no longer in the box go.
  set(box) {
    const before = this.ends();
    const after = box.map(([left, right]) => [-left, 1 + right]);
    const carried = ([down, across]) => [[1 - down, 1], [across, 0]].map(([share, axis]) => {
      const at = before[axis][0] + share * (before[axis][1] - before[axis][0]);
      const now = (at - after[axis][0]) / (after[axis][1] - after[axis][0]);
      return axis === 1 ? 1 - now : now;
    });
    const inside = (place) => place.every((share) => share >= 0 && share <= 1);
    live.place = carried(live.place).map((share) => Math.min(1, Math.max(0, share)));
    const ends = live.ends.map(carried);
    live.ends = ends.every(inside) ? ends : [];
    settings.set({ box });
  },

  // The wheel over a map, unless it is scrolling the page over it.
  wheel(event) {
    if (!this.isOn() || event.timeStamp - this.scrolled < 300) {
      this.scrolled = event.timeStamp;
      return;
    }
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    this.zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY * lines / 500))), this.under(event));
  },

  pointerdown(event) {
    if (!this.isOn() || event.button !== 0) return;
    if (!this.pointers.size) this.moved = false;
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.began = [event.clientX, event.clientY];
    event.target.setPointerCapture(event.pointerId);
  },

  // One mouse or pen drags; a finger scrolls the page, and two pinch.
  pointermove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const { width, height } = event.target.getBoundingClientRect();
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    if (other) {
      const apart = (place) => Math.max(20, Math.hypot(place[0] - other[0], place[1] - other[1]));
      this.moved = true;
      this.pan((before[0] - now[0]) / 2 / width, (now[1] - before[1]) / 2 / height);
      this.zoom(apart(before) / apart(now), this.under({
        target: event.target, clientX: (now[0] + other[0]) / 2, clientY: (now[1] + other[1]) / 2,
      }));
    } else if (event.pointerType !== 'touch') {
      if (!this.moved && Math.hypot(now[0] - this.began[0], now[1] - this.began[1]) < this.DRAG) return;
      this.moved = true;
      this.pan((before[0] - now[0]) / width, (now[1] - before[1]) / height);
    }
    this.pointers.set(event.pointerId, now);
  },

  pointerup(event) {
    this.pointers.delete(event.pointerId);
  },

  pointercancel(event) {
    this.pointers.delete(event.pointerId);
    this.moved = false;
  },

  // Plus and minus about the cursor, 0 as it was; Alt and an arrow by a tenth.
  key(event) {
    if (!this.isOn() || event.ctrlKey || event.metaKey || !this.canvases.includes(event.target.id)) return;
    const [down, across] = live.place;
    const by = { '+': 1 / 1.25, '=': 1 / 1.25, '-': 1.25 }[event.key];
    const step = event.altKey && {
      ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1],
    }[event.key];
    if (by) this.zoom(by, [across, 1 - down]);
    else if (step) this.pan(...step);
    else if (event.key === '0') this.set(settings.BOX);
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
};
