// The table of all landscapes: sorted, filtered, and walked with the keyboard.

const naturally = new Intl.Collator('en', { numeric: true }).compare;
const joined = (classes) => classes.map((c) => classNames[c]).join(', ');
const textColumn = (key, label, help, sortText) => ({ key, label, help, text: true, value: sortText });

const ranking = {
  columns: [
    textColumn('name', 'name', 'name of the landscape', (l) => l.name),
    ...ROLES.map((role, k) => textColumn(role, role,
      run.grid.roles[k],
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
