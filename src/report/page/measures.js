// Tables of measures: all those of one landscape, and which have settled on finer grids.

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
