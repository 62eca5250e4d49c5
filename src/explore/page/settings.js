// How the grid is made: its kind and what belongs to it, steps, and whether the exact boundary is
// drawn.

// `mode` and `flat` are as a run's plan has them.
const KINDS = run.features
  ? {
    rows: { text: 'mixes', mode: 'clean' },
    plane: { text: 'plane', mode: 'clean', flat: 'plane' },
    triangle: { text: 'triangle', mode: 'clean', flat: 'triangle' },
    line: { text: 'line', mode: 'clean' },
  }
  : {
    morph: { text: 'morph', mode: 'clean' },
    published: { text: 'morph as published', mode: 'published' },
    'cross-fade': { text: 'cross-fade', mode: 'cross-fade' },
    plane: { text: 'plane', mode: 'cross-fade', flat: 'plane' },
    triangle: { text: 'triangle', mode: 'cross-fade', flat: 'triangle' },
    line: { text: 'line', mode: 'cross-fade' },
  };
const SIZES = [11, 21, 41, 51, 81, 101, 201];

const settings = {
  BOX: [[0.1, 0.1], [0.1, 0.1]],
  kind: Object.keys(KINDS)[0], sampling: 'cubic', cells: 3, steps: 21, exact: false, box: [[0.1, 0.1], [0.1, 0.1]], clipped: false,

  build() {
    const { mode = 'clean', sampling = 'cubic', grid = 3, steps: size } = run.morph;
    Object.assign(this, { sampling, cells: grid, steps: size });
    if (KINDS[mode]) this.kind = mode;
    const choice = (values) => values.map(([value, textContent]) => element('option', { value, textContent }));
    const labelled = (text, control) => element('span', { className: 'control' },
      element('label', { htmlFor: control.id, textContent: text }), control);
    this.controls = {
      kind: element('select', { id: 'kind' }, ...choice(Object.entries(KINDS).map(([key, { text }]) => [key, text]))),
      sampling: element('select', { id: 'sampling' }, ...choice([['cubic', 'bicubic'], ['linear', 'bilinear']])),
      cells: element('input', { id: 'cells', type: 'number', min: 1, max: 256, step: 1 }),
      steps: element('select', { id: 'steps' }, ...choice(SIZES.map((n) => [n, String(n)]))),
      range: element('input', { id: 'range', type: 'number', min: -0.4, max: 100, step: 0.1, placeholder: 'moved' }),
      clipped: element('input', { id: 'clipped', type: 'checkbox' }),
      exact: element('input', { id: 'exact', type: 'checkbox' }),
    };
    const { kind, sampling: sample, cells, steps: number, range, clipped, exact } = this.controls;
    const ofImages = run.features ? [] : [labelled('Sampling', sample), labelled('Feature cells', cells)];
    byId('settings').replaceChildren(labelled('Kind', kind), ...ofImages, this.room(labelled('Room around the items', range)),
      ...(run.features ? [] : [labelled('Clipped', clipped)]), labelled('Steps', number), labelled('Exact boundary', exact));
    byId('settings').addEventListener('input', () => this.read());
    byId('settings').addEventListener('submit', (event) => event.preventDefault());
    this.show();
  },

  // Buttons beside the number: zoom without a wheel.
  room(control) {
    const button = (id, label, textContent) => {
      const made = element('button', { type: 'button', id, textContent, title: label });
      made.setAttribute('aria-label', label);
      return made;
    };
    control.append(button('box-out', 'Wider', '−'), button('box-in', 'Narrower', '+'), button('box-reset', 'Reset the window', 'Reset'));
    return control;
  },

  read() {
    const { kind, sampling, cells, steps: number, range, clipped, exact } = this.controls;
    this.set({
      kind: kind.value, sampling: sampling.value, cells: cells.valueAsNumber, steps: Number(number.value),
      ...(document.activeElement === range || !range.dataset.moved ? { box: this.boxOf([range.valueAsNumber]) } : {}),
      clipped: clipped.checked, exact: exact.checked,
    });
  },

  // A box of one number for all sides, or of its four: nothing where it is none.
  boxOf(numbers) {
    if (!numbers.every(Number.isFinite)) return undefined;
    const [left, right, below, above] = numbers.length === 1 ? Array(4).fill(numbers[0]) : numbers;
    const box = [[left, right], [below, above]];
    const fits = ([before, behind]) => Math.max(Math.abs(before), Math.abs(behind)) <= plane.FARTHEST &&
      1 + before + behind >= plane.NARROWEST * Math.max(1, Math.abs(before), Math.abs(1 + behind));
    return [1, 4].includes(numbers.length) && box.every(fits) ? box : undefined;
  },

  // The one number of a box that is as wide on all sides.
  roomOf: ([[left, right], [below, above]]) => [right, below, above].every((share) => share === left) ? left : null,


  // Takes what is one of the choices; the rest stays as it was.
  set({ kind, sampling, cells, steps: number, box, clipped, exact }) {
    if (Object.hasOwn(KINDS, kind)) this.kind = kind;
    if (['cubic', 'linear'].includes(sampling)) this.sampling = sampling;
    if (Number.isInteger(cells) && cells >= 1 && cells <= 256) this.cells = cells;
    if (SIZES.includes(number)) this.steps = number;
    if (box) this.box = box;
    if (typeof clipped === 'boolean') this.clipped = clipped;
    if (typeof exact === 'boolean') this.exact = exact;
    this.show();
    live.ask();
  },

  // What does not belong to the kind is not there.
  show() {
    const { kind, sampling, cells, steps: number, range, clipped, exact } = this.controls;
    [kind.value, sampling.value, cells.value, exact.checked] = [this.kind, this.sampling, this.cells, this.exact];
    const room = this.roomOf(this.box);
    range.dataset.moved = room === null ? 1 : '';
    if (document.activeElement !== range) range.value = room ?? '';
    for (const id of plane.canvases) byId(id).classList.toggle('plane', this.kind === 'plane');
    clipped.checked = this.clipped;
    if (!SIZES.includes(this.steps)) this.steps = 21;
    number.value = this.steps;
    const shown = (control, isShown) => { control.parentElement && (control.parentElement.hidden = !isShown); };
    shown(sampling, this.kind === 'morph');
    shown(cells, ['morph', 'published'].includes(this.kind));
    shown(range, this.kind === 'plane');
    shown(clipped, this.kind === 'plane');
    byId('plane-keys').hidden = this.kind !== 'plane';
  },

  // As a run's plan has it.
  morph(size) {
    const { mode } = KINDS[this.kind];
    return { steps: size, grid: this.cells, mode, ...(mode === 'clean' ? { sampling: this.sampling } : {}) };
  },

  flat() {
    const { flat } = KINDS[this.kind];
    if (!flat) return null;
    const { box, clipped } = this;
    return flat === 'plane' ? { kind: flat, range: box, clipped: clipped && !run.features } : { kind: flat };
  },

  line() {
    return this.kind === 'line' ? (this.exact ? 'auto' : 'off') : null;
  },
};
