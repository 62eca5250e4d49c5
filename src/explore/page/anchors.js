// The anchors A, B and C: what each is, the slider that leads it through the items of its class,
// sliders of features, and the user's own files.

const anchors = {
  cards: [],
  chosen: 0,
  picks: [null, null, null],
  dragged: null,
  sequence: [0, 0, 0],

  build() {
    this.cards = ROLES.map((role, k) => this.card(role, k));
    byId('anchors').replaceChildren(...this.cards.map((card) => card.box));
    this.choose(0);
    byId('draw').addEventListener('click', () => this.draw());
  },

  card(role, k) {
    const radio = element('input', { type: 'radio', name: 'anchor' });
    radio.addEventListener('change', () => this.choose(k));
    const thumb = element('span', { className: 'thumb', draggable: true });
    const name = element('span', { className: 'name' });
    const tag = element('span');
    const scrub = element('input', { type: 'range', min: 0, max: 0, value: 0, id: `scrub-${role}` });
    scrub.addEventListener('input', () => this.scrub(k));
    const hint = element('label', { className: 'scrub', htmlFor: scrub.id, textContent: 'Drag through its class' });
    const file = element('input', { type: 'file', accept: run.features ? '.csv,text/csv,text/plain' : 'image/png,image/jpeg' });
    file.setAttribute('aria-label', `Own file as ${role}`);
    file.addEventListener('change', () => {
      this.bring(k, file.files[0]);
      file.value = '';
    });
    const features = element('div', { className: 'features' });
    const box = element('div', { className: 'anchor' },
      element('div', { className: 'anchor-head' }, run.features ? '' : thumb,
        element('div', { className: 'anchor-text' },
          element('label', { className: 'pick' }, radio, role), tag, name,
          element('span', { className: 'own button' }, run.features ? 'Own row …' : 'Own picture …', file))),
      hint, scrub, features);
    this.watchDrags(box, thumb, k);
    return { box, radio, thumb, name, tag, scrub, hint, features, sliders: [] };
  },

  // A file dropped on an anchor becomes it; an anchor dropped on another changes places with it.
  watchDrags(box, thumb, k) {
    thumb.addEventListener('dragstart', (event) => {
      this.dragged = k;
      event.dataTransfer.setData('text/plain', ROLES[k]);
    });
    thumb.addEventListener('dragend', () => { this.dragged = null; });
    box.addEventListener('dragover', (event) => {
      event.preventDefault();
      box.classList.add('target');
    });
    box.addEventListener('dragleave', () => box.classList.remove('target'));
    box.addEventListener('drop', (event) => {
      event.preventDefault();
      box.classList.remove('target');
      const [file] = event.dataTransfer.files;
      if (file) this.bring(k, file);
      else if (this.dragged !== null && this.dragged !== k) this.swap(this.dragged, k);
    });
  },

  choose(k) {
    this.chosen = k;
    this.cards.forEach((card, n) => {
      card.radio.checked = n === k;
      card.box.classList.toggle('chosen', n === k);
    });
    gallery.mark();
  },

  // An item from the gallery; the next anchor waits for the next.
  take(position) {
    const k = this.chosen;
    this.choose((k + 1) % 3);
    this.set(k, { item: position });
  },

  set(k, pick) {
    this.picks[k] = pick;
    live.ask();
    this.show(k);
  },

  setAll(picks) {
    this.picks = picks;
    live.ask();
    picks.forEach((_, k) => this.show(k));
  },

  swap(k, other) {
    const picks = [...this.picks];
    [picks[k], picks[other]] = [picks[other], picks[k]];
    this.setAll(picks);
  },

  // Three items of different classes, where there are as many.
  async draw() {
    const classes = [];
    const order = classNames.map((_, c) => c).sort(() => Math.random() - 0.5);
    for (const c of order) {
      if (classes.length < 3 && (await membersOf(c)).length) classes.push(c);
    }
    while (classes.length < 3) classes.push(classes[0]);
    const picks = await Promise.all(classes.map(async (c) => {
      const members = await membersOf(c);
      return { item: members[Math.floor(Math.random() * members.length)] };
    }));
    this.setAll(picks);
  },

  async scrub(k) {
    const at = Number(this.cards[k].scrub.value);
    const members = this.cards[k].members;
    if (members) this.set(k, { item: members[at] });
  },

  async bring(k, file) {
    if (!file) return;
    try {
      if (file.size > 16 * 2 ** 20) throw new Refused(`${file.name}: expected a file of at most 16 MiB`);
      const pick = this.ownPick(await source.own(file), file.name);
      this.set(k, pick);
    } catch (error) {
      tell(error instanceof Refused ? `${file.name}: ${error.message}` : error.message);
    }
  },

  // What the server answers to a file, as an item with what is known of it.
  ownPick({ own, row, png, note, class: c, pictures }, name) {
    return {
      ...(row ? { row } : { own, png }),
      known: { name: `${name}${note ? ` (${note})` : ''}, class as the model predicts`, class: c, row, picture: pictures },
    };
  },

  async show(k) {
    const pick = this.picks[k];
    const number = ++this.sequence[k];
    const info = pick.item === undefined
      ? pick.known ?? { name: 'a point of your own, class as the model predicts', class: null, row: pick.row }
      : await items.of(pick.item).catch(() => null);
    if (!info || number !== this.sequence[k]) return;
    const card = this.cards[k];
    items.paint(card.thumb, info.picture, 72);
    card.name.textContent = info.name;
    if (info.class !== null) card.tag.replaceChildren(classTag(info.class));
    card.scrub.disabled = pick.item === undefined;
    if (run.features) this.fillFeatures(k, pick.row ?? info.row);
    if (pick.item !== undefined && card.members?.[Number(card.scrub.value)] !== pick.item) {
      const members = await membersOf(info.class);
      if (number !== this.sequence[k]) return;
      card.members = members;
      card.scrub.max = members.length - 1;
      card.scrub.value = Math.max(0, members.indexOf(pick.item));
      card.hint.textContent = `Drag through its class, ${members.length} items`;
    }
    gallery.mark();
  },

  // The class of a point of one's own comes with its landscape.
  showClasses(classes) {
    classes.forEach((c, k) => this.cards[k].tag.replaceChildren(classTag(c)));
  },

  // One slider a feature: any point of the space, half a range beyond the data on either side.
  fillFeatures(k, row) {
    const card = this.cards[k];
    if (!card.sliders.length) {
      card.sliders = run.features.map((feature, n) => {
        const [low, high] = run.ranges[n];
        const room = (high - low) / 2 || 1;
        const slider = element('input', { type: 'range', min: low - room, max: high + room, step: 'any' });
        const output = element('output');
        slider.addEventListener('input', () => {
          const values = [...this.row(k)];
          values[n] = Math.fround(Number(slider.value));
          this.set(k, { row: values });
        });
        card.features.append(element('label', {}, element('span', { textContent: feature }), slider, output));
        return { slider, output };
      });
    }
    card.values = Array.from(row);
    card.sliders.forEach(({ slider, output }, n) => {
      if (document.activeElement !== slider) slider.value = row[n];
      output.textContent = Number(row[n]).toPrecision(4);
    });
  },

  row(k) {
    return this.picks[k].row ?? this.cards[k].values;
  },
};
