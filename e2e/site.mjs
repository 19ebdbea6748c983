// The site in a real browser: the policy holds, nothing is logged, every page is accessible in both schemes and at 320 pixels,
// and everything goes with the keyboard alone, or without a script.
//
//   node site.mjs BASE LINK PICTURES
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync, mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [base, link, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(pictures, { recursive: true });
const problems = [];
// What these tests provoke: a page that is not there, and a script that the policy stops.
const expected = /status of 40[04]|violates the following Content Security Policy/;
const check = (right, what) => { if (!right) { problems.push(what); console.error(`FAILED ${what}`); } };

// RFC 6238. A code counts once, and one of the next half minute is taken: three in a row need no waiting.
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
let step = Math.floor(Date.now() / 30000) - 2;
function code(secret) {
  const bits = [...secret.replace(/\s/g, '')].map(c => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map(b => parseInt(b, 2)));
  step = Math.max(step + 1, Math.floor(Date.now() / 30000) - 1);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac('sha1', key).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, '0');
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});

/** A window whose page may log nothing and break nothing. */
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', message => { if (['error', 'warning'].includes(message.type()) && !expected.test(message.text())) check(false, `${page.url()} logs: ${message.text()}`); });
  page.on('pageerror', error => check(false, `${page.url()} breaks: ${error}`));
  page.on('requestfailed', request => { if (!request.failure()?.errorText.includes('ABORTED')) check(false, `${request.url()} fails: ${request.failure()?.errorText}`); });
  page.on('request', request => check(request.url().startsWith(base) || request.url().startsWith('data:'), `${page.url()} asks ${request.url()}`));
  return { context, page };
}

const password = 'a lantern under the quiet bridge';
const email = 'maren@example.test';

// ---- the first owner comes in ----
const first = await open();
await first.page.goto(link);
const secret = await first.page.textContent('#secret');
await first.page.screenshot({ path: `${pictures}/join.png`, fullPage: true });
// Of whoever was invited both are known.
if (await first.page.locator('#email').count()) {
  await first.page.fill('#email', email);
  await first.page.fill('#name', 'Maren Dahl');
}
await first.page.fill('#password', password);
await first.page.fill('#code', code(secret));
await first.page.click('button.pri');
await first.page.waitForSelector('.codes');
check((await first.page.locator('.codes li').count()) === 10, 'ten recovery codes are shown');
await first.page.goto(base + '/');
const state = await first.context.storageState();

// ---- with the policy on: what it forbids does not run, and nothing of ours needs it ----
const policy = (await first.page.request.get(base + '/')).headers()['content-security-policy'];
check(policy?.startsWith("default-src 'self';"), `the policy is ${policy}`);
const runs = await first.page.evaluate(() => {
  const script = document.createElement('script');
  script.textContent = 'window.ran = true';
  document.head.append(script);
  return window.ran === true;
}).catch(() => false);
check(!runs, 'an inline script does not run');

// ---- every page, found by its links ----
const places = new Map([['home', '/'], ['plan', '/plan'], ['controls', '/controls'], ['criteria', '/criteria'], ['criterion', '/criteria/CC8.1'],
  ['procedures', '/procedures'], ['deviations', '/deviations'], ['reviews', '/reviews'], ['coverage', '/coverage'], ['ledger', '/ledger'], ['entry', '/ledger/1'], ['catalogue', '/catalog'],
  ['table', '/catalog/tables/change'], ['ask', '/query'], ['answer', '/query?sql=' + encodeURIComponent('SELECT c.merged_at AS merged_at, c.label AS label FROM change c LIMIT 20')],
  ['registers', '/registers'], ['register', '/registers/vendor'], ['row-form', '/enter/vendor'], ['members', '/members'], ['member', '/members/1'], ['invite', '/members/invite'],
  ['wrong', '/query?sql=SELECT'], ['search', '/search?q=access'], ['nothing', '/controls?q=zzzz'], ['sessions', '/sessions'], ['missing', '/controls/NO-99']]);
const linked = async (from, pattern) => {
  await first.page.goto(base + from);
  return first.page.locator('main a').evaluateAll((all, p) => all.map(a => a.getAttribute('href')).find(h => new RegExp(p).test(h ?? '')), pattern);
};
for (const [name, from, pattern] of [
  ['control', '/controls?operation=exceptions_noted', '^/controls/[A-Z]'],
  ['population', '/procedures?conclusion=exceptions_noted', '^/procedures/[a-z_]+$'],
  ['deviation', '/deviations', '^/deviations/D-'],
]) {
  const to = await linked(from, pattern);
  check(to, `${from} leads to a ${name}`);
  if (to) places.set(name, to);
}
for (const act of ['triage', 'retest', 'close']) if (places.has('deviation')) places.set(act, `${places.get('deviation').split('?')[0]}/${act}`);
const item = places.has('population') && await linked(places.get('population'), '/items/');
check(item, 'a population leads to an item');
if (item) places.set('item', item);
await first.page.goto(base + (places.get('control') ?? '/'));
const day = await first.page.locator('.days a').first().getAttribute('href').catch(() => null);
if (day) places.set('day', day);

for (const scheme of ['light', 'dark']) {
  const { context, page } = await open({ storageState: state, colorScheme: scheme, bypassCSP: true });
  for (const [name, path] of places) {
    await page.setViewportSize({ width: 1280, height: 900 });
    const answer = await page.goto(base + path);
    check([200, 400, 404].includes(answer.status()), `${path} is answered with ${answer.status()}`);
    await page.screenshot({ path: `${pictures}/${name}-${scheme}.png`, fullPage: true });
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    for (const violation of found.violations) {
      check(false, `${scheme} ${path}: ${violation.id} (${violation.help}) at ${violation.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`);
    }
    if (scheme === 'light') {
      await page.setViewportSize({ width: 320, height: 800 });
      const wide = await page.evaluate(() => {
        const over = [...document.querySelectorAll('main *, header *, footer *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.gridw, pre, svg, .vh, caption, thead')).slice(0, 3);
        return document.documentElement.scrollWidth > innerWidth ? over.map(e => e.outerHTML.slice(0, 90)) : [];
      });
      check(wide.length === 0, `${path} is wider than 320 pixels: ${wide.join(' | ')}`);
      await page.screenshot({ path: `${pictures}/${name}-narrow.png`, fullPage: true });
    }
  }
  await context.close();
}

// ---- with the keyboard alone ----
const keys = await open();
await keys.page.goto(base + '/controls');
check(keys.page.url().includes('/sign-in?then='), 'whoever is not in is asked to sign in');
await keys.page.screenshot({ path: `${pictures}/sign-in.png`, fullPage: true });
const press = async (...all) => { for (const key of all) await keys.page.keyboard.press(key); };
const focus = () => keys.page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
for (let at = 0; at < 12 && (await focus()) !== 'email'; at++) await press('Tab');
await keys.page.keyboard.type(email);
await press('Tab');
await keys.page.keyboard.type(password);
await press('Tab');
await keys.page.keyboard.type(code(secret));
await press('Enter');
await keys.page.waitForURL(base + '/controls');
await press('Tab');
check((await focus()) === 'Skip to content', `the first stop skips to the content, not ${await focus()}`);
await press('Enter', '/');
check((await focus()) === 'filter', '/ leads to the filter');
await keys.page.keyboard.type('CHG-02');
await press('Enter');
await keys.page.waitForURL(/q=CHG-02/);
await press('j', 'Enter');
await keys.page.waitForURL(/\/controls\/CHG-02/);
await press('?');
check(await keys.page.locator('#keys').isVisible(), '? shows the keys');
await press('Escape', 'Control+k');
check((await focus()) === 'q', 'Ctrl K leads to the search');
await keys.page.keyboard.type('IAM-06');
await press('Enter');
await keys.page.waitForURL(/\/controls\/IAM-06/);
// A strip is one stop, and arrows walk it.
const days = keys.page.locator('[data-strip] a');
await days.first().focus();
await press('ArrowRight', 'ArrowRight', 'PageDown');
check((await days.nth(9).getAttribute('tabindex')) === '0', 'arrows walk the days of a strip');
const fresh = await keys.page.evaluate(() => document.activeElement.getAttribute('aria-label'));
await press('Enter');
await keys.page.waitForURL(/day=/);
check((await keys.page.textContent('#h-day')) === fresh, `a day leads to its items: ${fresh}`);
// What is decided: a deviation is described, and a vendor written down.
const tabTo = async id => { for (let at = 0; at < 60 && (await focus()) !== id; at++) await press('Tab'); check((await focus()) === id, `Tab leads to ${id}, not ${await focus()}`); };
const deviation = places.get('deviation');
if (deviation) {
  await keys.page.goto(base + deviation);
  await keys.page.locator('main a.btn', { hasText: 'Triage' }).focus();
  await press('Enter');
  await keys.page.waitForURL(/\/triage/);
  await tabTo('f-cause');
  await press('Control+a');
  await keys.page.keyboard.type('the check was added a week late');
  await tabTo('Write it down');
  await press('Enter');
  await keys.page.waitForURL(url => url.pathname === deviation.split('?')[0]);
  check((await keys.page.textContent('#h-history + p, .tl')).length > 0 && (await keys.page.textContent('main')).includes('the check was added a week late'), 'a triage stands in the history');
}
await keys.page.goto(base + '/registers/vendor');
await keys.page.locator('main a.btn', { hasText: 'Add a row' }).focus();
await press('Enter');
await keys.page.waitForURL(/\/enter\/vendor/);
await tabTo('f-key');
await keys.page.keyboard.type('V-by-keyboard');
await tabTo('f-c-label');
await keys.page.keyboard.type('Keyboard Cloud');
await tabTo('f-why');
await keys.page.keyboard.type('found in the accounts');
await tabTo('Add it');
await press('Enter');
await keys.page.waitForURL(/\/registers\/vendor\/V-by-keyboard/);
check((await keys.page.textContent('main')).includes('found in the accounts'), 'a row tells who wrote it and why');
await keys.context.close();

// ---- without a script ----
const bare = await open({ javaScriptEnabled: false });
await bare.page.goto(base + '/procedures');
await bare.page.fill('#email', email);
await bare.page.fill('#password', password);
await bare.page.fill('#code', code(secret));
await bare.page.click('button.pri');
await bare.page.waitForURL(base + '/procedures');
await bare.page.click('.theme button[value=dark]');
check((await bare.page.getAttribute('html', 'data-theme')) === 'dark', 'the scheme is kept without a script');
check(bare.page.url() === base + '/procedures', 'and one stays where one was');
await bare.page.fill('#filter', 'ticket');
await bare.page.click('form.facets button');
check(bare.page.url().includes('q=ticket'), 'a filter lives in the address');
check((await bare.page.locator('[data-copy]:visible').count()) === 0, 'no button that needs a script is shown');
await bare.page.setViewportSize({ width: 320, height: 700 });
await bare.page.click('.menu');
check(await bare.page.locator('#nav').isVisible(), 'the menu opens without a script');
await bare.page.screenshot({ path: `${pictures}/menu-narrow.png` });
await bare.page.click('#nav .close');
await bare.page.click('form[action="/sign-out"] button');
await bare.page.waitForURL(/sign-in/);
await bare.context.close();

// ---- on paper ----
const paper = await open({ storageState: state });
await paper.page.goto(base + (places.get('control') ?? '/'));
await paper.page.emulateMedia({ media: 'print' });
check(!(await paper.page.locator('.side').isVisible()), 'paper has no navigation');
await paper.page.pdf({ path: `${pictures}/control.pdf`, format: 'A4' });
await paper.context.close();

await browser.close();
console.log(problems.length === 0 ? `${places.size} pages hold` : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
