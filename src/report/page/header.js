// What ran: facts, command, plan, timings.

function fillHeader() {
  byId('title').textContent = run.title;
  byId('about').textContent = run.grid.about;
  byId('warning').textContent = run.warning;
  byId('warning').hidden = !run.warning;
  byId('path-row').textContent = run.grid.flat ? 'Row' : 'Row into C';
  byId('path-column').textContent = run.grid.flat ? 'Column' : 'Column A to B';
  fillPairs(byId('facts'), run.facts);
  byId('command').textContent = run.command;
  byId('plan').textContent = JSON.stringify(run.plan, null, 1);
  fillPairs(byId('timings'), Object.entries(run.timings)
    .map(([key, value]) => key.endsWith('_s') ? [key.slice(0, -2), `${value} s`] : [key, value]));
  byId('note').textContent = run.note;
  byId('note').hidden = !run.note;
  fillPairs(byId('measures-help'), run.columns.map((column) => [column.label, column.help]));
}
