// Static figures and the walk's, in cards that open large.

const figures = {
  addresses: [],

  // As images from blobs, so that the ids inside one drawing cannot meet those of another.
  async show(name, isCurrent) {
    const [drawings, walk] = await Promise.all([source.figures(name), source.walk(name)]);
    if (!isCurrent()) return;
    byId('figures-part').hidden = !drawings;
    byId('walk-part').hidden = !walk;
    this.addresses.forEach((address) => URL.revokeObjectURL(address));
    this.addresses = [];
    const cards = (drawn) => Object.entries(drawn).map(([key, svg]) => this.card(name, key, svg));
    byId('figures').replaceChildren(...cards(drawings ?? {}));
    fillPairs(byId('walk-facts'), walk?.facts ?? []);
    byId('walk-figures').replaceChildren(...cards(walk?.figures ?? {}));
  },

  card(name, key, svg) {
    const title = run.figure_titles[key];
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
