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
  $('a, input', rows[at])?.focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: 'nearest' });
};

// Lines of a review: x chooses the one at hand, K keeps and R revokes what is chosen, once a reason is there where one is needed.
const review = $('form[data-review]');
const chosen = () => all('input[name=line]:checked', review);
const choose = row => {
  const box = row && $('input[name=line]', row);
  if (!box) return;
  box.checked = !box.checked;
  say(`${chosen().length} chosen`);
};
const decide = decision => {
  const button = $(`button[value=${decision}]`, review);
  if (!button) return;
  if (chosen().length === 0) choose(rows[at]);
  const reason = $('#why');
  const needed = decision === 'revoke' || chosen().some(box => box.closest('tr').hasAttribute('data-flagged'));
  if (needed && !reason.value.trim()) {
    reason.focus();
    say('This needs a reason');
  } else button.click();
};

addEventListener('keydown', event => {
  if ((event.ctrlKey || event.metaKey) && event.key === 'k' && $('#q')) {
    event.preventDefault();
    $('#q').focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || (/INPUT|SELECT|TEXTAREA/.test(event.target.tagName) && event.target.type !== 'checkbox')) return;
  if (event.key === '/') {
    const field = $('#filter') || $('#q');
    if (field) { event.preventDefault(); field.focus(); }
  } else if (event.key === '?') $('#keys')?.showModal();
  else if (rows.length && event.key === 'j') go(at + 1);
  else if (rows.length && event.key === 'k') go(at - 1);
  else if (review && event.key === 'x') choose(rows[at]);
  else if (review && event.key === 'K') decide('keep');
  else if (review && event.key === 'R') decide('revoke');
});
