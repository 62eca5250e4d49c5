// The view in the address, so that a link restores it: items, settings, cursor and path. Own files
// are only in this page and its server, and so in no link.

const address = {
  written: '',

  text() {
    const parts = new URLSearchParams();
    ROLES.forEach((role, k) => {
      const { item, row } = anchors.picks[k];
      if (item !== undefined) parts.set(role.toLowerCase(), item);
      else if (row) parts.set(role.toLowerCase(), `row:${row.join('_')}`);
    });
    parts.set('kind', settings.kind);
    if (settings.kind === 'morph') parts.set('sampling', settings.sampling);
    if (['morph', 'published'].includes(settings.kind)) parts.set('cells', settings.cells);
    if (settings.kind === 'plane') parts.set('range', settings.range);
    if (settings.kind === 'plane' && settings.clipped) parts.set('clipped', 1);
    parts.set('steps', settings.steps);
    if (settings.exact) parts.set('exact', 1);
    const short = (place) => place.map((part) => Number(part.toFixed(4))).join('_');
    parts.set('at', short(live.place));
    if (live.ends.length) parts.set('path', live.ends.map(short).join('_'));
    return parts.toString();
  },

  // Browsers allow few changes of the address a second.
  follow() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.written = this.text();
      history.replaceState(null, '', `#${this.written}`);
      keep.refresh();
    }, 250);
  },

  // What the address says, of what it says; the rest is as the server begins.
  read() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const numbers = (text) => text.split('_').map(Number);
    const picks = ROLES.map((role, k) => {
      const text = parts.get(role.toLowerCase()) ?? '';
      if (text.startsWith('row:') && run.features) return { row: numbers(text.slice(4)) };
      const item = Number(text);
      return { item: text !== '' && Number.isInteger(item) && item >= 0 && item < run.num_items ? item : run.first[k] };
    });
    const isPlace = (place) => place.length === 2 && place.every((part) => part >= 0 && part <= 1);
    const at = numbers(parts.get('at') ?? '');
    if (isPlace(at)) live.place = at;
    const path = numbers(parts.get('path') ?? '');
    const ends = [path.slice(0, 2), path.slice(2, 4)].filter(isPlace);
    live.ends = ends;
    const number = (key) => parts.has(key) ? Number(parts.get(key)) : undefined;
    settings.set({
      kind: parts.get('kind'), sampling: parts.get('sampling'), cells: number('cells'), steps: number('steps'),
      range: number('range'), clipped: parts.has('clipped'), exact: parts.has('exact'),
    });
    anchors.setAll(picks);
  },
};
