// The page of an atlas: tables, a heat map, pictures of items and of the worst landscapes.

const atlas = JSON.parse(byId('atlas').textContent);
const { summary, class_names: classNames, colors, worst, cards, pictures, score } = atlas;
const digits = (value, count = 3) => (value == null ? '–' : value.toFixed(count));

// The first cells head their row; numbers stand to the right.
function row(cells, heads = 1) {
  return element('tr', {}, ...cells.map((cell, n) => (n < heads
    ? element('th', { scope: 'row' }, cell ?? '–')
    : element('td', { className: cell instanceof Node || typeof cell === 'string' ? '' : 'number' },
      typeof cell === 'number' ? digits(cell) : cell ?? '–'))));
}

function heading(names) {
  return element('thead', {}, element('tr', {}, ...names.map((name) =>
    element('th', { scope: 'col', textContent: name }))));
}

// All triples of some means share an item: then nothing says how sure they are.
function between(interval, count = 3) {
  return interval ? `${digits(interval[0], count)} to ${digits(interval[1], count)}` : 'no interval';
}

function withInterval(mean) {
  if (!mean) return '–';
  return element('span', {}, digits(mean.mean),
    element('span', { className: 'interval', textContent: between(mean.interval) }));
}

function classTag(label) {
  const dot = element('span', { className: 'dot' });
  dot.style.setProperty('--class', colors[label]);
  return element('span', { className: 'class-tag' }, dot, classNames[label]);
}

function picture(item) {
  const source = pictures[item];
  return source ? element('img', { src: `data:image/png;base64,${source}`, alt: item }) : '';
}

// Some classes and their means, the first `count` of all that there are.
function fillMeans(id, means) {
  byId(id).replaceChildren(heading(['classes', `mean ${score.of}`, 'triples']),
    element('tbody', {}, ...means.map((one) => row([one.classes.join(', '), withInterval(one), String(one.triples)]))));
}

function ofAll(means, all, what) {
  return means.length < all ? `The ${means.length} ${score.small_is_bad ? 'smallest' : 'largest'} of ${all} ${what}.` : '';
}

function fillPairs() {
  const [all] = atlas.num_class_means;
  byId('pairs-hint').textContent = `Mean ${score.of} of the survey's triples that have both classes${
    atlas.is_heat ? '; point at a cell for its 95 % interval' : ''}. ${ofAll(summary.pairs, all, 'pairs')}`;
  if (atlas.is_heat) fillHeat();
  else fillMeans('pairs', summary.pairs);
  byId('pairs').parentElement.hidden = atlas.is_heat;
  byId('pairs-section').hidden = all === 0;
}

function fillHeat() {
  const known = new Map(summary.pairs.map((pair) => [pair.classes.join('\n'), pair]));
  const names = classNames.filter((name) => summary.pairs.some(({ classes }) => classes.includes(name)));
  const values = summary.pairs.map(({ mean }) => mean);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  byId('heat').replaceChildren(
    element('thead', {}, element('tr', {}, element('td', { className: 'none' }), ...names.slice(0, -1).map((name) =>
      element('th', { scope: 'col', textContent: name })))),
    element('tbody', {}, ...names.slice(1).map((name, n) =>
      element('tr', {}, element('th', { scope: 'row', textContent: name }), ...names.slice(0, -1).map((other, m) => {
        const pair = m <= n ? known.get([other, name].join('\n')) : null;
        if (!pair) return element('td', { className: 'none' });
        const cell = element('td', {
          textContent: digits(pair.mean),
          title: `${other} and ${name}: ${between(pair.interval)}, ${pair.triples} triples`,
        });
        // A small distance is what is bad.
        const share = most > least ? (pair.mean - least) / (most - least) : 0;
        cell.style.setProperty('--share', score.small_is_bad ? 1 - share : share);
        return cell;
      })))));
}

function paint(canvas, side, colorAt) {
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d');
  for (let k = 0; k < side * side; k++) {
    context.fillStyle = colorAt(k);
    context.fillRect(k % side, Math.floor(k / side), 1, 1);
  }
}

function card(one, n) {
  const map = element('canvas', { role: 'img', ariaLabel: `Map of predicted classes of triple ${n + 1}` });
  paint(map, one.steps, (k) => (one.labels[k] < 0 ? '#ffffff' : colors[one.labels[k]]));
  const shown = element('div', { className: 'shown' }, map);
  if (one.frame) shown.append(element('img', { src: `data:image/png;base64,${one.frame}`, alt: `the frame that is most confidently ${one.frame_class}` }));
  const seen = [...new Set(one.labels)].filter((label) => label >= 0).sort((a, b) => a - b);
  const title = element('h3', {}, element('a', { href: `top/report.html#${one.landscape}`, textContent: `Triple ${n + 1}, landscape ${one.landscape}` }));
  return element('article', { className: 'card' }, title, shown,
    element('p', { className: 'hint', textContent: one.says }),
    element('div', { className: 'sources' }, ...one.items.map((item, i) =>
      element('figure', {}, picture(item), element('figcaption', {}, `${'ABC'[i]}: ${item}, `, classNames[one.classes[i]])))),
    element('ul', { className: 'legend' }, ...seen.map((label) => element('li', {}, classTag(label)))));
}

function gallery(list, items, says) {
  byId(list).replaceChildren(...items.map((item) => element('li', {}, picture(item.item),
    element('div', { textContent: item.item }), element('div', { textContent: item.class }), element('div', { textContent: says(item) }))));
}

byId('findings').replaceChildren(...summary.findings.map((text) => element('li', { textContent: text })));
followTheme();
fillPairs();
byId('worst-section').hidden = worst.length === 0;
byId('worst-hint').textContent = atlas.worst_hint;
byId('cards').replaceChildren(...cards.map(card));
const others = atlas.other_columns;
byId('worst').replaceChildren(
  heading(['rank', 'A', 'B', 'C', 'ranked by', 'as found', ...others.map(({ name }) => name), 'intruder']),
  element('tbody', {}, ...worst.map((one, n) => row([String(n + 1), ...one.items.map((item, i) => `${item}, ${classNames[one.classes[i]]}`),
    one.lowest, one.own, ...others.map(({ key }) => one[key]), one.intruder == null ? '–' : classTag(one.intruder)]))));
gallery('by-effect', summary.worst_items.slice(0, 24), ({ effect, triples }) => `${effect > 0 ? '+' : ''}${digits(effect)}, ${triples} triples`);
gallery('by-flip', summary.nearest_items.slice(0, 24), ({ nearest_flip: [l2, linf] }) => `L2 ${digits(l2, 2)}, L∞ ${digits(linf, 2)}`);
byId('class-triples-section').hidden = summary.class_triples.length === 0;
byId('class-triples-hint').textContent = ofAll(summary.class_triples, atlas.num_class_means[1], 'class triples');
fillMeans('class-triples', summary.class_triples);
byId('means').replaceChildren(heading(['measure', 'mean']),
  element('tbody', {}, ...Object.entries(summary.means).map(([key, mean]) => row([key.replaceAll('_', ' '), withInterval(mean)]))));
byId('audits').replaceChildren(heading(['left behind by', 'triples', 'examined again', 'of them among the worst', 'missed, about', '95 % together']),
  element('tbody', {}, ...summary.audits.map((audit) => row([
    audit.steps == null ? 'never searched' : `${audit.steps} x ${audit.steps} points`,
    String(audit.rejected), String(audit.audited), String(audit.found), digits(audit.missed, 1),
    between(audit.missed_interval, 1)]))));
