// The view in the address, so that a link restores it: items, settings, cursor and path. A picture of
// one's own is in it whole, as a PNG, where that is not too long.

const address = {
  written: '',
  reading: 0,
  lost: [], // anchors whose picture could not be read
  MOST: 24000, // letters of a picture; browsers and programs cut addresses that are much longer

  text() {
    const parts = new URLSearchParams();
    ROLES.forEach((role, k) => {
      const { item, row, png } = anchors.picks[k];
      if (item !== undefined) parts.set(role.toLowerCase(), item);
      else if (row) parts.set(role.toLowerCase(), `row:${row.join('_')}`);
      else if (png.length <= this.MOST) parts.set(role.toLowerCase(), `png:${png.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`);
    });
    parts.set('kind', settings.kind);
    if (settings.kind === 'morph') parts.set('sampling', settings.sampling);
    if (['morph', 'published'].includes(settings.kind)) parts.set('cells', settings.cells);
    if (settings.kind === 'plane') parts.set('range', settings.roomOf(settings.box) ?? settings.box.flat().join('_'));
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
      this.tellOfLong();
      keep.refresh();
    }, 250);
  },

  // What a link cannot carry, or did not, is said where the link is spoken of.
  tellOfLong() {
    const long = ROLES.filter((_, k) => anchors.picks[k]?.png?.length > this.MOST);
    const notes = [
      long.length && `A link cannot carry ${long.join(' and ')}: the picture is too large for an address; whoever opens the link must add the file again.`,
      this.lost.length && `The link held no readable picture for ${this.lost.join(' and ')}; an item of the data took its place.`,
    ].filter(Boolean);
    byId('link-note').hidden = !notes.length;
    byId('link-note').textContent = notes.join(' ');
  },

  // A picture that an address carries is given to the server as a file is.
  async carried(text) {
    const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
    const binary = atob(base64.padEnd(Math.ceil(base64.length / 4) * 4, '='));
    const answer = await source.own(new Blob([Uint8Array.from(binary, (letter) => letter.charCodeAt(0))]));
    return anchors.ownPick(answer, 'a picture of the link');
  },

  // What the address says, of what it says; the rest is as the server begins.
  async read() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const numbers = (text) => text.split('_').map(Number);
    const number = ++this.reading;
    const lost = [];
    const picks = await Promise.all(ROLES.map(async (role, k) => {
      const text = parts.get(role.toLowerCase()) ?? '';
      if (text.startsWith('png:') && !run.features) {
        const pick = await this.carried(text.slice(4)).catch(() => null);
        if (pick) return pick;
        lost.push(role);
      }
      if (text.startsWith('row:') && run.features) return { row: numbers(text.slice(4)) };
      const item = Number(text);
      return { item: text !== '' && Number.isInteger(item) && item >= 0 && item < run.num_items ? item : run.first[k] };
    }));
    if (number !== this.reading) return;
    this.lost = lost;
    const isPlace = (place) => place.length === 2 && place.every((part) => part >= 0 && part <= 1);
    const at = numbers(parts.get('at') ?? '');
    if (isPlace(at)) live.place = at;
    const path = numbers(parts.get('path') ?? '');
    const ends = [path.slice(0, 2), path.slice(2, 4)].filter(isPlace);
    live.ends = ends;
    const value = (key) => parts.has(key) ? Number(parts.get(key)) : undefined;
    settings.set({
      kind: parts.get('kind'), sampling: parts.get('sampling'), cells: value('cells'), steps: value('steps'),
      box: settings.boxOf(numbers(parts.get('range') ?? 'none')) ?? settings.BOX, clipped: parts.has('clipped'), exact: parts.has('exact'),
    });
    anchors.setAll(picks);
  },
};
