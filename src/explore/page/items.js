// Items as the page shows them: names, classes and pictures, asked for a few at a time and kept.

const items = {
  known: new Map(),
  asked: new Map(),
  MOST: 4096, // pictures that are kept

  // What is known of an item of the data: a promise.
  async of(position) {
    if (!this.known.has(position)) await this.load([position]);
    return this.known.get(position);
  },

  // Loads those that are not known, in one request.
  async load(positions) {
    const missing = positions.filter((position) => !this.known.has(position));
    if (!missing.length) return;
    const key = missing.join();
    if (!this.asked.has(key)) {
      this.asked.set(key, source.items(missing).then((answer) => this.keep(answer))
        .finally(() => this.asked.delete(key)));
    }
    await this.asked.get(key);
  },

  keep({ items: found, pictures }) {
    found.forEach((item, n) => this.known.set(item.position, { ...item, picture: pictures && { ...pictures, n } }));
    for (const position of this.known.keys()) {
      if (this.known.size <= this.MOST) break;
      this.known.delete(position);
    }
  },

  // Shows a picture of a sheet in an element of a size in pixels.
  paint(node, picture, size) {
    if (!picture) return;
    const { width_px: width, height_px: height, address, n = 0 } = picture;
    const zoom = size / Math.max(width, height);
    node.style.width = `${zoom * width}px`;
    node.style.height = `${zoom * height}px`;
    node.style.backgroundImage = `url("${address}")`;
    node.style.backgroundSize = `${zoom * width}px auto`;
    node.style.backgroundPosition = `0 ${-n * zoom * height}px`;
  },
};

// Positions of the items of a class, in order: what an anchor's slider goes through.
const classMembers = new Map();
function membersOf(c) {
  if (!classMembers.has(c)) {
    const members = source.members({ class: c });
    members.catch(() => classMembers.delete(c));
    classMembers.set(c, members);
  }
  return classMembers.get(c);
}
