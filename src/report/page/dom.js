// Elements of the page: finding, making and filling them. Knows nothing of a run.

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function svgElement(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function fillPairs(list, pairs) {
  list.replaceChildren(...pairs.map(([term, value]) =>
    element('div', {}, element('dt', { textContent: term }),
      element('dd', {}, value instanceof Node ? value : String(value)))));
}

const wantsNoMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
