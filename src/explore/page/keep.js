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
      byId('saved').textContent = `${landscapes} landscapes in ${folder}; this view is ${landscape}`;
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
      answer = { note: error.message };
    }
    byId('command-note').hidden = !answer.note;
    byId('command-note').textContent = answer.note ?? '';
    show('shell', answer.shell);
    show('python', answer.python);
  },
};
