// Changes of the state within a landscape: which cell, which path; and the redraw that follows.

// What a page has beyond these views, called after each change.
const followers = [];

function setCursor(i, j) {
  const next = [clampIndex(i), clampIndex(j)];
  if (!state.grid || (next[0] === state.cursor[0] && next[1] === state.cursor[1])) return;
  state.cursor = next;
  map.paint();
  probe.update();
  surface.moveMarks();
  followers.forEach((follow) => follow());
}

function setPath(ends) {
  if (!state.grid) return;
  state.path = ends;
  map.paint();
  path.show();
  surface.moveMarks();
  followers.forEach((follow) => follow());
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
