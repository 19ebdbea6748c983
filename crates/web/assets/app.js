// Comfort only: every page works without this file.
'use strict';
const $ = (what, within = document) => within.querySelector(what);
const all = (what, within = document) => [...within.querySelectorAll(what)];
const say = text => { $('#say').textContent = text; };

// A command is copied by its button, which is of no use without a script.
for (const button of all('[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText($(button.dataset.copy).textContent);
    say('Copied');
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1200);
  });
}

// A strip of days is one stop of the tab key; arrows walk it.
for (const strip of all('[data-strip]')) {
  const days = all('a', strip);
  const stop = at => days.forEach((day, n) => day.setAttribute('tabindex', n === at ? '0' : '-1'));
  stop(0);
  strip.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 7, PageUp: -7 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = Math.min(days.length - 1, Math.max(0, days.indexOf(document.activeElement) + step));
    stop(at);
    days[at].focus();
  });
}

// Rows: j and k walk them, Enter follows the link that has the focus.
const rows = all('table[data-rows] tr[data-row]');
let at = -1;
const go = to => {
  at = Math.min(rows.length - 1, Math.max(0, to));
  rows.forEach((row, n) => row.classList.toggle('on', n === at));
  $('a', rows[at])?.focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: 'nearest' });
};

addEventListener('keydown', event => {
  if ((event.ctrlKey || event.metaKey) && event.key === 'k' && $('#q')) {
    event.preventDefault();
    $('#q').focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
  if (event.key === '/') {
    const field = $('#filter') || $('#q');
    if (field) { event.preventDefault(); field.focus(); }
  } else if (event.key === '?') $('#keys')?.showModal();
  else if (rows.length && event.key === 'j') go(at + 1);
  else if (rows.length && event.key === 'k') go(at - 1);
});
