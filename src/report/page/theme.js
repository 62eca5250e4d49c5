// The page's theme: the system's, until the button says otherwise.

// `changed` draws again what takes its colours from the style sheet.
function followTheme(changed = () => {}) {
  const button = byId('theme');
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', theme === 'dark' ? 'Use light colours' : 'Use dark colours');
    changed();
  };
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const ofSystem = () => set(dark.matches ? 'dark' : 'light');
  ofSystem();
  dark.addEventListener('change', ofSystem);
  button.addEventListener('click', () => set(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
}
