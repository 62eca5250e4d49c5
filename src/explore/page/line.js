// The line from A to B: a bar a model, coloured by the class that it predicts, under one cursor. The
// probabilities along it are the path's chart.
//
// Where the class changes is known between two samples only, until the exact intervals are asked for.

const line = {
  exact: null, // {key, models}, of each {intervals, label, sentence} or {refused}
  box: byId('line-bars'),

  start() {
    const follow = (event) => {
      const { left, width } = this.box.getBoundingClientRect();
      setCursor(0, Math.round((event.clientX - left) / width * (steps - 1)));
    };
    this.box.addEventListener('pointermove', follow);
    this.box.addEventListener('pointerdown', follow);
    this.box.addEventListener('keydown', (event) => this.key(event));
    followers.push(() => this.mark());
  },

  isOn: () => run.grid.kind === 'line',

  key(event) {
    const [, j] = state.cursor;
    const jump = event.shiftKey ? 5 : 1;
    const to = { ArrowLeft: j - jump, ArrowRight: j + jump, Home: 0, End: steps - 1 }[event.key];
    if (to === undefined) return;
    setCursor(0, to);
    event.preventDefault();
  },

  // [{from, to, class}] of a model's samples: a change lies in the middle between two.
  sampled({ labels }) {
    const found = [];
    labels.forEach((label, k) => {
      const at = k === 0 ? 0 : (k - 0.5) / (steps - 1);
      if (found.length && found.at(-1).class === label) return;
      if (found.length) found.at(-1).to = at;
      found.push({ from: at, to: 1, class: label });
    });
    return found;
  },

  // Asked for where intervals are to be exact.
  async ask(key, view, signal) {
    if (!settings.exact || this.exact?.key === key) return;
    try {
      const found = await source.boundary(view, signal);
      if (signal.aborted) return;
      this.exact = { key, ...found };
      found.models.forEach(({ refused }, n) => refused && tell(`No exact intervals of ${run.models[n]}: ${refused}.`));
      this.draw();
    } catch (error) {
      if (!signal.aborted) tell(`No exact intervals: ${error.message}.`);
    }
  },

  draw() {
    const models = settings.exact && this.exact?.key === live.key() ? this.exact.models : [];
    const exact = models[0]?.intervals ? models[0] : null;
    const first = exact?.intervals ?? this.sampled(state.grid);
    const bars = [this.bar(run.models[0], first)];
    if (state.against) {
      const second = models[1]?.intervals ?? this.sampled(state.against);
      bars.push(this.bar(run.models[1], second));
      bars.push(this.differing(this.apart(first, second)));
    }
    this.box.replaceChildren(...bars, this.cursor = element('span', { className: 'line-cursor' }));
    this.box.setAttribute('aria-valuemax', steps - 1);
    byId('line-text').textContent = `${first.length - 1} ${first.length === 2 ? 'change' : 'changes'} of class: ` +
      first.map(({ class: c, from, to }) => `${nameOf(c)} ${from.toFixed(3)} to ${to.toFixed(3)}`).join(', ') +
      (exact ? ` (${exact.label}).` : ` (between ${steps} samples).`);
    byId('line-sentence').hidden = !exact?.sentence;
    byId('line-sentence').textContent = exact?.sentence ?? '';
    this.mark();
  },

  // Where two lists of intervals name different classes.
  apart(one, other) {
    const ends = [...new Set([...one, ...other].flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
    const classAt = (intervals, t) => intervals.find(({ from, to }) => from <= t && t <= to)?.class;
    return ends.slice(1).map((to, k) => ({ from: ends[k], to, middle: (ends[k] + to) / 2 }))
      .filter(({ middle }) => classAt(one, middle) !== classAt(other, middle));
  },

  piece({ from, to }, title) {
    const part = element('span', { className: 'line-piece', title });
    part.style.left = `${100 * from}%`;
    part.style.width = `${100 * (to - from)}%`;
    return part;
  },

  bar(name, intervals) {
    const pieces = intervals.map((interval) => {
      const part = inColor(this.piece(interval, nameOf(interval.class)), interval.class);
      if (interval.to - interval.from > 0.12) part.textContent = nameOf(interval.class);
      return part;
    });
    return element('span', { className: 'line-bar', title: name }, ...pieces);
  },

  differing(intervals) {
    const pieces = intervals.map((interval) => this.piece(interval, 'the two predict different classes'));
    return element('span', { className: 'line-bar apart', title: 'Disagreement' }, ...pieces);
  },

  mark() {
    if (!this.isOn() || !this.cursor) return;
    const [, j] = state.cursor;
    this.cursor.style.left = `${100 * fraction(j)}%`;
    this.box.setAttribute('aria-valuenow', j);
    this.box.setAttribute('aria-valuetext', describeCell([0, j]));
  },
};
