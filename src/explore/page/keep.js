// Keeping what was found: a run's folder, and the commands that make the view again.

const keep = {
  start() {
    byId('save').addEventListener('submit', (event) => {
      event.preventDefault();
      this.save();
    });
    byId('commands').addEventListener('toggle', () => this.refresh());
  },

  view: () => live.view(settings.steps),

  async save() {
    const button = byId('save').querySelector('button');
    button.disabled = true;
    byId('saved').textContent = 'saving …';
    try {
      const { folder, landscapes, landscape } = await source.save(this.view(), byId('folder').value);
      byId('saved').textContent = landscape
        ? `${landscapes} ${landscapes === 1 ? 'landscape' : 'landscapes'} in ${folder}; this view is ${landscape}` : `the line is in ${folder}`;
    } catch (error) {
      byId('saved').textContent = error.message;
    } finally {
      button.disabled = false;
    }
  },

  async refresh() {
    if (!byId('commands').open) return;
    const show = (id, text) => {
      byId(id).textContent = text ?? '';
      byId(id).parentElement.hidden = !text;
    };
    let answer;
    try {
      answer = await source.commands(this.view());
    } catch (error) {
      answer = { shell_note: error.message };
    }
    const notes = [answer.shell_note, answer.python_note && `No Python: ${answer.python_note}`].filter(Boolean);
    byId('command-note').hidden = !notes.length;
    byId('command-note').textContent = notes.map((note) => `${note}.`).join(' ');
    show('shell', answer.shell);
    show('python', answer.python);
  },
};
