// The page of a run: it owns everything that moves in report.html and asks nothing of a network.
//
// How data moves: the builder leaves one JSON element ("run") and, for each landscape, inert text
// elements ("values-N", "frames-N" or "rows-N", "figures-N", "walk-N", and "figures-T" of triple T). The table is built
// from the JSON alone. `select(name)` decodes one landscape, once, and hands it to the views (map, probe,
// surface, path, figures). There is one state: the selected landscape, the cursor cell and the
// ends of the path; `setCursor` and `setPath` change it and redraw the views, whoever called.
// plotly.js is inflated last, and its one WebGL canvas is reused by every landscape.
//
// For the console and for tests: `window.morphscape` (at the end of this file) and
// `document.documentElement.dataset.ready`, "page" and then "full".
(() => {
  'use strict';

  const byId = (id) => document.getElementById(id);
  const run = JSON.parse(byId('run').textContent);
  const { steps, num_classes: numClasses, class_names: classNames, colors } = run;
  const byName = new Map(run.landscapes.map((landscape) => [landscape.name, landscape]));
  const ROLES = ['A', 'B', 'C'];
  const FIGURE_TITLES = {
    line: 'Line plot', surface: '3-D landscape', map: 'Decision map', ternary: 'Ternary plot',
    scatter: 'Scatter pairs', sheet: 'Contact sheet', paths: 'Frames along two paths',
    mesh: 'Meshes', 'group-line': 'Line plot of the group', 'group-scatter': 'Scatter pairs of the group',
    'group-ternary': 'Ternary plots of the group and the data',
    'walk-spread': 'Distance over steps', 'walk-walkers': 'Walkers on the surface',
    'walk-occupation': 'Occupation', 'walk-committor': 'Committor and first passage',
  };

  // A frame that the paper's tool could not make has no probabilities and no class.
  const NO_ANSWER = -1;
  const nameOf = (classIndex) => classNames[classIndex] ?? 'no answer';
  const colorOf = (classIndex) => colors[classIndex] ?? '#9a9a9a';
  const formatProbability = (p) => Number.isNaN(p) ? '–' : p.toFixed(3);

  const state = { landscape: null, grid: null, cursor: [0, 0], path: [] };

  // ---- small helpers ---------------------------------------------------------------------

  function element(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  function svgElement(tag, attributes, ...children) {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  // The style sheet makes the colour of a class lighter where the page is dark.
  function inColor(node, classIndex) {
    node.style.setProperty('--class', colorOf(classIndex));
    return node;
  }

  function dot(classIndex) {
    return inColor(element('span', { className: 'dot' }), classIndex);
  }

  const classTag = (classIndex, prefix = '') =>
    element('span', { className: 'class-tag' }, dot(classIndex), prefix, nameOf(classIndex));

  function fillPairs(list, pairs) {
    list.replaceChildren(...pairs.map(([term, value]) =>
      element('div', {}, element('dt', { textContent: term }),
        element('dd', {}, value instanceof Node ? value : String(value)))));
  }

  function decodeBase64(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let k = 0; k < binary.length; k++) bytes[k] = binary.charCodeAt(k);
    return bytes;
  }

  const decodeFloats = (id) => new Float32Array(decodeBase64(byId(id).textContent).buffer);

  function inflate(id) {
    if (!window.DecompressionStream) {
      throw new Error('this browser cannot inflate what the page carries (DecompressionStream, since 2023)');
    }
    const packed = new Blob([decodeBase64(byId(id).textContent)]);
    return new Response(packed.stream().pipeThrough(new DecompressionStream('gzip'))).text();
  }

  function formatMeasure(value, format) {
    if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
    if (format === 'change') return `${value > 0 ? '+' : ''}${(100 * value).toFixed(1)} %`;
    if (format === 'percent') return `${(100 * value).toFixed(1)} %`;
    if (format === 'integer') return Math.round(value).toLocaleString('en');
    return value.toFixed((format.split('.')[1] ?? '').length);
  }

  const fraction = (index) => index / Math.max(1, steps - 1);
  const clampIndex = (index) => Math.min(steps - 1, Math.max(0, index));
  const cellText = ([i, j]) => `row ${i}, column ${j}`;
  const wantsNoMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

  // ---- one landscape's numbers -----------------------------------------------------------

  // Decoded on first use and kept: 21 x 21 x 10 floats are 18 kB.
  const grids = new Map();

  function gridOf(name) {
    if (!grids.has(name)) grids.set(name, decodeGrid(name));
    return grids.get(name);
  }

  function decodeGrid(name) {
    const values = decodeFloats(`values-${name}`);
    const labels = new Int32Array(steps * steps).fill(NO_ANSWER);
    const margins = new Float32Array(steps * steps);
    for (let cell = 0; cell < labels.length; cell++) {
      let first = -1;
      let second = 0;
      for (let c = 0; c < numClasses; c++) {
        const p = values[cell * numClasses + c];
        if (p > first) {
          second = Math.max(0, first);
          first = p;
          labels[cell] = c;
        } else if (p > second) second = p;
      }
      margins[cell] = labels[cell] === NO_ANSWER ? 0 : first - second;
    }
    const rows = run.kind === 'rows' ? decodeFloats(`rows-${name}`) : null;
    return { values, labels, margins, rows, image: null };
  }

  const labelAt = ([i, j]) => state.grid.labels[i * steps + j];
  const describeCell = (cell) => {
    const label = labelAt(cell);
    const p = label === NO_ANSWER ? '' : ` ${formatProbability(probability(cell, label))}`;
    return `${cellText(cell)}: ${nameOf(label)}${p}`;
  };
  const probability = ([i, j], c) => state.grid.values[(i * steps + j) * numClasses + c];

  function probabilitiesAt([i, j]) {
    const start = (i * steps + j) * numClasses;
    return state.grid.values.subarray(start, start + numClasses);
  }

  // The classes a picture of this landscape is about: A, B, C, then the intruders.
  const leadingClasses = () => [...new Set([...state.landscape.classes, ...state.landscape.intruders])];

  function roleOf(classIndex) {
    return ROLES.filter((_, k) => state.landscape.classes[k] === classIndex).join('');
  }

  const classLines = (classes) => classes.map((c) =>
    element('li', { className: roleOf(c) ? '' : 'outside' }, classTag(c, roleOf(c) && `${roleOf(c)} `)));

  function strongestIntrusion() {
    let best = [Math.floor(steps / 2), Math.floor(steps / 2)];
    let highest = 0.5;
    for (const c of state.landscape.intruders) {
      for (let cell = 0; cell < steps * steps; cell++) {
        const p = state.grid.values[cell * numClasses + c];
        if (p > highest) {
          highest = p;
          best = [Math.floor(cell / steps), cell % steps];
        }
      }
    }
    return best;
  }

  async function loadFrames(name) {
    const grid = gridOf(name);
    const holder = byId(`frames-${name}`);
    if (grid.image || !run.frame || !holder) return;
    const image = new Image();
    image.src = holder.textContent.trim();
    await image.decode();
    grid.image = image;
  }

  function drawFrame(context, [i, j], x, y, width, height) {
    const { width_px: w, height_px: h, tile_width_px: tileW, tile_height_px: tileH } = run.frame;
    context.drawImage(state.grid.image, j * tileW, i * tileH, w, h, x, y, width, height);
  }

  // ---- what ran --------------------------------------------------------------------------

  function fillHeader() {
    byId('title').textContent = run.title;
    fillPairs(byId('facts'), run.facts);
    byId('command').textContent = run.command;
    byId('plan').textContent = JSON.stringify(run.plan, null, 1);
    fillPairs(byId('timings'), Object.entries(run.timings)
      .map(([key, value]) => key.endsWith('_s') ? [key.slice(0, -2), `${value} s`] : [key, value]));
    byId('note').textContent = run.note;
    byId('note').hidden = !run.note;
    fillPairs(byId('measures-help'), run.columns.map((column) => [column.label, column.help]));
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    byId('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
    byId('theme').setAttribute('aria-label', theme === 'dark' ? 'Use light colours' : 'Use dark colours');
    surface.draw();
  }

  function followTheme() {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    setTheme(dark.matches ? 'dark' : 'light');
    dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));
    byId('theme').addEventListener('click', () =>
      setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
  }

  // ---- ranking ---------------------------------------------------------------------------

  const naturally = new Intl.Collator('en', { numeric: true }).compare;
  const joined = (classes) => classes.map((c) => classNames[c]).join(', ');
  const textColumn = (key, label, help, sortText) => ({ key, label, help, text: true, value: sortText });

  const ranking = {
    columns: [
      textColumn('name', 'name', 'name of the landscape', (l) => l.name),
      ...ROLES.map((role, k) => textColumn(role, role,
        ['the item mixed with B', 'the item mixed with A', 'the item the mixes go into'][k],
        (l) => classNames[l.classes[k]])),
      textColumn('intruders', 'intruders', 'classes outside the triple that are predicted somewhere',
        (l) => joined(l.intruders)),
    ],
    // Measures are many: one group of them is shown at a time.
    measures: run.columns.map((column, k) => ({ ...column, value: (l) => l.values[k] })),
    shown: [],
    rows: [],
    sortedBy: null,
    descending: true,

    build() {
      byId('table-head').replaceChildren(...this.columns.map((column) => this.headCell(column)));
      this.rows = run.landscapes.map((landscape) => this.row(landscape));
      const groups = [...new Set(run.columns.map((column) => column.group))];
      byId('measure-group').replaceChildren(...['overview', ...groups, 'all'].map((group) =>
        element('option', { value: group, textContent: group })));
      byId('measure-group').addEventListener('change', () => this.showGroup());
      this.showGroup();
      this.sort(this.measures.find((column) => column.key === run.rank_by) ?? this.columns[0]);
      byId('filter').addEventListener('input', () => this.filter());
      byId('table-body').addEventListener('click', (event) => this.clicked(event));
      byId('table-body').addEventListener('keydown', (event) => this.moved(event));
      this.filter();
    },

    showGroup() {
      const group = byId('measure-group').value;
      const isShown = {
        overview: (column) => run.overview.includes(column.key), all: () => true,
      }[group] ?? ((column) => column.group === group);
      for (const column of this.shown) column.cell.remove();
      this.shown = this.measures.filter(isShown);
      for (const column of this.shown) column.cell ??= this.headCell(column);
      byId('table-head').append(...this.shown.map((column) => column.cell));
      for (const { landscape, line } of this.rows) {
        line.querySelectorAll('td.number').forEach((cell) => cell.remove());
        line.append(...this.shown.map((column) => element('td', {
          className: 'number', textContent: formatMeasure(column.value(landscape), column.format),
        })));
      }
    },

    headCell(column) {
      const button = element('button', { type: 'button', title: column.help, textContent: column.label });
      button.addEventListener('click', () => this.sort(column));
      column.cell = element('th', { scope: 'col', className: column.text ? '' : 'number' }, button);
      return column.cell;
    },

    row(landscape) {
      const link = element('a', {
        href: `#${encodeURIComponent(landscape.name)}`, textContent: landscape.name, tabIndex: -1,
      });
      const intruders = element('td', { className: 'intruders', title: joined(landscape.intruders) },
        ...landscape.intruders.map((c) => classTag(c)));
      const line = element('tr', { className: landscape.detail ? '' : 'bare' },
        element('th', { scope: 'row' }, link),
        ...landscape.classes.map((c) => element('td', {}, classTag(c))),
        intruders);
      const words = [landscape.name, joined(landscape.classes), joined(landscape.intruders)];
      return { landscape, line, link, haystack: words.join(' ').toLowerCase() };
    },

    // The same column again turns the order round; numbers start with the largest.
    sort(column) {
      this.descending = this.sortedBy === column ? !this.descending : !column.text;
      this.sortedBy?.cell.removeAttribute('aria-sort');
      this.sortedBy = column;
      column.cell.setAttribute('aria-sort', this.descending ? 'descending' : 'ascending');
      const sign = this.descending ? -1 : 1;
      const missing = (value) => typeof value === 'number' ? Number.isNaN(value) : value === null;
      this.rows.sort((one, other) => {
        const [p, q] = [column.value(one.landscape), column.value(other.landscape)];
        if (missing(p) || missing(q)) return missing(p) - missing(q);
        const order = column.text ? naturally(p, q) : p - q;
        return sign * order || naturally(one.landscape.name, other.landscape.name);
      });
      byId('table-body').append(...this.rows.map((row) => row.line));
    },

    filter() {
      const terms = byId('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of this.rows) row.line.hidden = !terms.every((term) => row.haystack.includes(term));
      const shown = this.visible().length;
      byId('filter-count').textContent = `${shown} of ${this.rows.length}`;
      byId('table-empty').hidden = shown > 0;
      this.placeTabStop();
    },

    visible() {
      return this.rows.filter((row) => !row.line.hidden);
    },

    // One row at a time is a tab stop, so that hundreds of rows are one step for the keyboard.
    placeTabStop() {
      for (const row of this.rows) row.link.tabIndex = -1;
      const rows = this.visible();
      const stop = rows.find((row) => row.landscape === state.landscape) ?? rows[0];
      if (stop) stop.link.tabIndex = 0;
    },

    mark() {
      for (const row of this.rows) {
        if (row.landscape === state.landscape) row.line.setAttribute('aria-current', 'true');
        else row.line.removeAttribute('aria-current');
      }
      this.placeTabStop();
      this.reveal();
    },

    // Scrolls the box only; scrollIntoView would move the page as well.
    reveal() {
      const line = this.rows.find((row) => row.landscape === state.landscape)?.line;
      const box = byId('table').parentElement;
      if (!line || line.hidden) return;
      const head = byId('table-head').offsetHeight;
      if (line.offsetTop - head < box.scrollTop) box.scrollTop = line.offsetTop - head;
      const bottom = line.offsetTop + line.offsetHeight;
      if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
    },

    clicked(event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey || !getSelection().isCollapsed) return;
      const row = this.rows.find(({ line }) => line.contains(event.target));
      if (!row) return;
      event.preventDefault();
      select(row.landscape.name);
      row.link.focus({ preventScroll: true });
      showLandscape();
    },

    moved(event) {
      const rows = this.visible();
      const at = rows.findIndex((row) => row.link === document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
      if (at < 0 || to === undefined || !rows[to]) return;
      event.preventDefault();
      rows[at].link.tabIndex = -1;
      rows[to].link.tabIndex = 0;
      rows[to].link.focus();
    },

    neighbour(step) {
      const rows = this.visible();
      const at = rows.findIndex((row) => row.landscape === state.landscape);
      return rows[at < 0 ? 0 : (at + step + rows.length) % rows.length]?.landscape.name;
    },
  };

  // ---- selecting -------------------------------------------------------------------------

  let wanted = null;

  // Nothing changes before the frames are there, so that the views never meet half a landscape.
  async function select(name) {
    const landscape = byName.get(name);
    if (!landscape || landscape === wanted) return;
    wanted = landscape;
    const isCurrent = () => wanted === landscape;
    // Without its picture a landscape still has its map and its numbers.
    if (landscape.detail) await loadFrames(name).catch((error) => console.warn(`frames of ${name}: ${error.message}`));
    if (!isCurrent()) return;
    state.landscape = landscape;
    state.grid = landscape.detail ? gridOf(name) : null;
    state.path = [];
    try {
      history.replaceState(null, '', `#${encodeURIComponent(name)}`);
    } catch {
      // Some browsers refuse this for files; the page works without the address.
    }
    ranking.mark();
    fillLandscapeHead();
    byId('detail').hidden = !landscape.detail;
    byId('no-detail').hidden = landscape.detail;
    if (!landscape.detail) return;
    state.cursor = strongestIntrusion();
    probe.build();
    map.build();
    surface.fillChoices();
    redraw();
    surface.draw();
    await figures.show(name, isCurrent);
  }

  function fillLandscapeHead() {
    const { name, classes, items, values } = state.landscape;
    const [a, b, c] = classes.map((index) => classNames[index]);
    byId('landscape-heading').replaceChildren(
      element('span', { className: 'name', textContent: name }), ` ${a} to ${b}, into ${c}`);
    byId('items').replaceChildren(...ROLES.map((role, k) =>
      element('span', {}, classTag(classes[k], `${role} `), ` ${items[k]}`)));
    fillPairs(byId('measures'), run.columns.flatMap((column, k) =>
      run.overview.includes(column.key) ? [[column.label, formatMeasure(values[k], column.format)]] : []));
    const settling = run.resolution?.values[name];
    fillMeasures('all-measures', settling ?? values.map((value) => [value]), settling && run.resolution.steps);
  }

  // A line a measure, by groups: its value, or those on grids of several `sizes` and the last change.
  function fillMeasures(id, values, sizes) {
    const isMean = values === run.resolution?.values.mean;
    const cell = (tag, text, className = 'number') => element(tag, { className, textContent: text });
    const change = ([, before, last]) => {
      if (typeof before !== 'number' || typeof last !== 'number') return null;
      if (before === last) return 0;
      return before === 0 ? null : (last - before) / Math.abs(before);
    };
    const heading = sizes
      ? [...sizes.map((size) => cell('th', `${size} steps`)), cell('th', 'last change'), cell('th', '', '')]
      : [cell('th', 'value')];
    const line = (column, k) => {
      // The mean of counts is no count.
      const format = isMean && column.format === 'integer' ? '0.00' : column.format;
      const cells = values[k].map((value) => cell('td', formatMeasure(value, format)));
      if (sizes) {
        const last = change(values[k]);
        const settled = last !== null && Math.abs(last) <= run.resolution.settled;
        cells.push(cell('td', formatMeasure(last, 'change')), cell('td', settled ? 'settled' : '', ''));
      }
      return element('tr', { title: column.help },
        element('th', { scope: 'row', textContent: column.label }), element('td', { textContent: column.group }), ...cells);
    };
    byId(id).replaceChildren(
      element('thead', {}, element('tr', {}, cell('th', 'measure', ''), cell('th', 'group', ''), ...heading)),
      // What no landscape has on finer grids is no line of their means.
      element('tbody', {}, ...run.columns.map((column, k) =>
        isMean && values[k].every((value) => value === null) ? '' : line(column, k))));
  }

  function fillResolution() {
    byId('resolution').hidden = !run.resolution;
    if (!run.resolution) return;
    const { steps: sizes, settled, values } = run.resolution;
    byId('resolution-text').textContent = `Means over the landscapes on grids of ${sizes.join(', ')} steps between the same ` +
      `items. A measure has settled where the last refinement changes it by at most ${100 * settled} %; ` +
      'the values of one landscape are under “All measures” below its name.';
    fillMeasures('resolution-table', values.mean, sizes);
  }

  // After a choice in the table: only where the landscape is out of sight does the page move.
  function showLandscape() {
    const { top } = byId('landscape-heading').getBoundingClientRect();
    if (top >= 0 && top < 0.75 * innerHeight) return;
    byId('landscape').scrollIntoView({ behavior: wantsNoMotion() ? 'auto' : 'smooth' });
  }

  function setCursor(i, j) {
    const next = [clampIndex(i), clampIndex(j)];
    if (!state.grid || (next[0] === state.cursor[0] && next[1] === state.cursor[1])) return;
    state.cursor = next;
    map.paint();
    probe.update();
    surface.moveMarks();
  }

  function setPath(ends) {
    if (!state.grid) return;
    state.path = ends;
    map.paint();
    path.show();
    surface.moveMarks();
  }

  const addPathEnd = (cell) => setPath(state.path.length === 1 ? [...state.path, cell] : [cell]);

  function redraw() {
    map.draw();
    probe.update();
    path.show();
  }

  function announce() {
    byId('live').textContent = describeCell(state.cursor);
  }

  // ---- map -------------------------------------------------------------------------------

  const map = {
    canvas: byId('map'),
    base: document.createElement('canvas'),

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
      byId('corner-a').replaceChildren(classTag(classes[0], 'A '));
      byId('corner-b').replaceChildren(classTag(classes[1], 'B '));
      byId('edge-c').replaceChildren(classTag(classes[2], 'C '));
      this.canvas.setAttribute('aria-label', `Map of landscape ${name}: ${steps} rows from A, ` +
        `${classNames[classes[0]]}, to B, ${classNames[classes[1]]}; ${steps} columns into C, ${classNames[classes[2]]}`);
      const counts = new Map();
      for (const label of state.grid.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
      const shares = [...counts].sort((one, other) => other[1] - one[1]);
      byId('map-legend').replaceChildren(...shares.map(([c, count]) => element('li', {}, classTag(c),
        element('span', { className: 'share', textContent: `${(100 * count / steps ** 2).toFixed(1)} %` }))));
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
      for (let i = 0; i < steps; i++) {
        for (let j = 0; j < steps; j++) this.drawCell(context, i, j, showFrames);
      }
      if (!showFrames) this.drawBoundaries(context);
      this.paint();
    },

    drawCell(context, i, j, showFrames) {
      const [x, y] = [this.edge(j), this.edge(i)];
      const [width, height] = [this.edge(j + 1) - x, this.edge(i + 1) - y];
      const cell = i * steps + j;
      context.fillStyle = '#fff';
      context.fillRect(x, y, width, height);
      context.globalAlpha = showFrames ? 1 : 0.25 + 0.75 * state.grid.margins[cell];
      context.fillStyle = colorOf(state.grid.labels[cell]);
      context.fillRect(x, y, width, height);
      context.globalAlpha = 1;
      if (!showFrames) return;
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
          if (j > 0 && labels[i * steps + j - 1] !== label) {
            context.fillRect(x - half, y - half, 2 * half, this.edge(i + 1) - y + 2 * half);
          }
          if (i > 0 && labels[(i - 1) * steps + j] !== label) {
            context.fillRect(x - half, y - half, this.edge(j + 1) - x + 2 * half, 2 * half);
          }
        }
      }
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

  // ---- probe -----------------------------------------------------------------------------

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
        ['mix A to B', `i = ${i}, s = ${fraction(i).toFixed(2)}`],
        ['into C', `j = ${j}, t = ${fraction(j).toFixed(2)}`],
      ]);
      if (state.grid.image) this.drawFrame(label);
      if (state.grid.rows) this.fillRow(i, j);
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

  // ---- path ------------------------------------------------------------------------------

  const path = {
    // The grid points nearest to the straight line, one for each step along its longer side.
    cells() {
      if (state.path.length < 2) return [];
      const [[i0, j0], [i1, j1]] = state.path;
      const count = Math.max(Math.abs(i1 - i0), Math.abs(j1 - j0), 1);
      return Array.from({ length: count + 1 }, (_, k) =>
        [Math.round(i0 + (i1 - i0) * k / count), Math.round(j0 + (j1 - j0) * k / count)]);
    },

    // The triple's classes and every class that reaches one half on the way.
    classes(cells) {
      const reaching = classNames.map((_, c) => c).filter((c) => cells.some((cell) => probability(cell, c) >= 0.5));
      return [...new Set([...state.landscape.classes, ...reaching])];
    },

    start() {
      byId('path-row').addEventListener('click', () =>
        setPath([[state.cursor[0], 0], [state.cursor[0], steps - 1]]));
      byId('path-column').addEventListener('click', () =>
        setPath([[0, state.cursor[1]], [steps - 1, state.cursor[1]]]));
      byId('path-clear').addEventListener('click', () => setPath([]));
      const follow = (event) => {
        const cells = this.cells();
        const at = Math.floor((event.clientX - byId('strip').getBoundingClientRect().left - this.left) / this.step);
        if (cells[at]) setCursor(...cells[at]);
      };
      byId('path-box').addEventListener('pointermove', follow);
      byId('path-box').addEventListener('pointerdown', follow);
    },

    show() {
      const cells = this.cells();
      byId('path-clear').disabled = state.path.length === 0;
      byId('path-box').hidden = cells.length === 0;
      byId('path-text').textContent = this.describe(cells);
      byId('path-legend').replaceChildren();
      if (!cells.length) return;
      const classes = this.classes(cells);
      this.left = 40;
      const room = byId('path-box').clientWidth - this.left - 8;
      this.step = Math.min(64, Math.max(24, Math.floor(room / cells.length)));
      this.fillStrip(cells);
      byId('chart').replaceChildren(this.chart(cells, classes));
      byId('path-legend').replaceChildren(element('li', { textContent: 'Probability of' }), ...classLines(classes));
    },

    describe(cells) {
      if (state.path.length === 0) return 'Click two points of the map or of the surface to see what lies between them.';
      if (state.path.length === 1) return `From ${cellText(state.path[0])}; now the other end.`;
      const labels = cells.map(labelAt);
      const turns = labels.filter((label, k) => k === 0 || label !== labels[k - 1]);
      const changes = turns.length - 1;
      return `From ${cellText(state.path[0])} to ${cellText(state.path[1])}: ${cells.length} points, ` +
        `${changes} label ${changes === 1 ? 'change' : 'changes'}: ${turns.map(nameOf).join(' → ')}.`;
    },

    fillStrip(cells) {
      const strip = byId('strip');
      strip.style.paddingLeft = `${this.left}px`;
      strip.replaceChildren(...cells.map((cell) => {
        const label = labelAt(cell);
        const text = describeCell(cell);
        const picture = inColor(element('canvas', { title: text }), label);
        picture.setAttribute('role', 'img');
        picture.setAttribute('aria-label', text);
        if (state.grid.image) {
          picture.width = run.frame.width_px;
          picture.height = run.frame.height_px;
          drawFrame(picture.getContext('2d'), cell, 0, 0, picture.width, picture.height);
        } else [picture.width, picture.height] = [4, 1];
        const place = element('li', {}, picture);
        place.style.width = `${this.step}px`;
        return place;
      }));
    },

    // A cell without an answer leaves a gap.
    curve(cells, c, x, y) {
      let pen = 'M';
      return cells.map((cell, k) => {
        const p = probability(cell, c);
        const mark = Number.isNaN(p) ? '' : `${pen}${x(k)},${y(p).toFixed(2)}`;
        pen = mark ? 'L' : 'M';
        return mark;
      }).join('');
    },

    // Point k of the chart stands under frame k of the strip.
    chart(cells, classes) {
      const [top, height] = [8, 150];
      const width = this.left + this.step * cells.length + 8;
      const x = (k) => this.left + (k + 0.5) * this.step;
      const y = (p) => top + (1 - p) * height;
      const svg = svgElement('svg', {
        width, height: top + height + 24, class: 'chart', role: 'img', 'aria-label': 'Probabilities along the path',
      });
      for (const tick of [0, 0.5, 1]) {
        svg.append(
          svgElement('line', { x1: this.left, x2: width - 8, y1: y(tick), y2: y(tick), class: 'rule' }),
          svgElement('text', { x: this.left - 8, y: y(tick), class: 'tick end' }, tick.toString()));
      }
      const every = Math.ceil(28 / this.step);
      cells.forEach((_, k) => {
        if (k % every === 0) svg.append(svgElement('text', { x: x(k), y: y(0) + 16, class: 'tick middle' }, String(k)));
      });
      for (const c of classes.toReversed()) {
        svg.append(inColor(svgElement('path', {
          d: this.curve(cells, c, x, y), class: roleOf(c) ? 'curve' : 'curve intruder',
        }), c));
      }
      return svg;
    },
  };

  // ---- surface ---------------------------------------------------------------------------

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
      if (!hasWebGl()) return this.giveUp('The surface needs WebGL, which is not to be had here. The map shows the same grid.');
      runLibrary(await inflate('plotly'));
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
          xaxis: axis(`into C (${c})`), yaxis: axis(`mix A (${a})\nto B (${b})`, { range: [1, 0] }),
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

  // ---- static figures --------------------------------------------------------------------

  const figures = {
    addresses: [],

    // As images from blobs, so that the ids inside one drawing cannot meet those of another.
    // Those of its triple, which its landscapes share, follow a landscape's own.
    async show(name, isCurrent) {
      const holders = [name, name.slice(0, name.lastIndexOf('.'))].filter((owner) => byId(`figures-${owner}`));
      byId('figures-part').hidden = !holders.length;
      const drawings = {};
      for (const owner of holders) Object.assign(drawings, JSON.parse(await inflate(`figures-${owner}`)));
      const walk = byId(`walk-${name}`) && JSON.parse(await inflate(`walk-${name}`));
      byId('walk-part').hidden = !walk;
      if (!isCurrent()) return;
      this.addresses.forEach((address) => URL.revokeObjectURL(address));
      this.addresses = [];
      const cards = (drawn) => Object.entries(drawn).map(([key, svg]) => this.card(name, key, svg));
      byId('figures').replaceChildren(...cards(drawings));
      fillPairs(byId('walk-facts'), walk?.facts ?? []);
      byId('walk-figures').replaceChildren(...cards(walk?.figures ?? {}));
    },

    card(name, key, svg) {
      const title = FIGURE_TITLES[key] ?? key;
      const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
      this.addresses.push(address);
      const [width, height] = ['width', 'height'].map((side) => Number(svg.match(`<svg[^>]*\\s${side}="([\\d.]+)`)?.[1]) || 1);
      const image = element('img', { src: address, alt: `${title} of ${name}`, width, height });
      const open = element('button', { type: 'button', className: 'picture', title: 'Show large' }, image);
      open.addEventListener('click', () => this.enlarge(`${name}  ${title}`, image));
      const save = element('a', { href: address, download: `${name}-${key}.svg`, className: 'button', textContent: 'Save SVG' });
      save.setAttribute('aria-label', `Save the ${title} as SVG`);
      const card = element('figure', { className: 'card' },
        element('figcaption', {}, element('span', { textContent: title }), save), open);
      // Widths in proportion to the drawings make the cards of one row equally high.
      const ratio = width / height;
      card.style.flex = `${ratio} 1 ${ratio * 15}rem`;
      card.style.maxWidth = `${Math.min(ratio * 21, 75)}rem`;
      return card;
    },

    enlarge(title, image) {
      byId('large-title').textContent = title;
      byId('large-image').src = image.src;
      byId('large-image').alt = image.alt;
      byId('large').showModal();
    },

    start() {
      byId('large').addEventListener('click', (event) => {
        if (event.target === byId('large')) byId('large').close();
      });
    },
  };

  // ---- start -----------------------------------------------------------------------------

  function step(by) {
    const name = ranking.neighbour(by);
    if (name) select(name);
  }

  function pageKey(event) {
    const typing = event.target.closest?.('input[type="search"], select, textarea');
    if (typing || event.ctrlKey || event.metaKey || byId('large').open) return;
    if (event.key === '[') step(-1);
    else if (event.key === ']') step(1);
    else if (event.key === 'Escape') setPath([]);
  }

  const nameInAddress = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return '';
    }
  };

  async function start() {
    fillHeader();
    fillResolution();
    ranking.build();
    map.start();
    path.start();
    surface.start();
    figures.start();
    followTheme();
    byId('previous').addEventListener('click', () => step(-1));
    byId('next').addEventListener('click', () => step(1));
    addEventListener('keydown', pageKey);
    addEventListener('hashchange', () => select(nameInAddress()));
    const first = byName.get(nameInAddress()) ?? ranking.rows.find((row) => row.landscape.detail)?.landscape ??
      run.landscapes[0];
    if (first) await select(first.name);
    document.documentElement.dataset.ready = 'page';
    // A task of its own, so that the page is painted before the library is inflated.
    await new Promise((resolve) => setTimeout(resolve, 30));
    await surface.load();
    document.documentElement.dataset.ready = 'full';
  }

  window.morphscape = {
    names: () => run.landscapes.map((landscape) => landscape.name),
    /** Selects a landscape; the promise is kept when it is drawn. */
    select,
    /** Probabilities of a landscape, [steps, steps, classes] row by row: a copy. */
    values: (name) => gridOf(name).values.slice(),
    /** Moves the cursor to a row and a column. */
    setCursor,
    /** What the probe shows. */
    probe: () => state.grid && {
      name: state.landscape.name, i: state.cursor[0], j: state.cursor[1],
      label: labelAt(state.cursor), probabilities: Array.from(probabilitiesAt(state.cursor)),
    },
    /** Sets the ends of the path, [[i, j], [i, j]], or clears it with []. */
    setPath,
    /** The grid points of the path. */
    path: () => path.cells(),
  };

  start().catch((error) => {
    const note = byId('note');
    note.hidden = false;
    note.textContent = `The page could not be drawn in full: ${error.message}.`;
    throw error;
  });
})();
