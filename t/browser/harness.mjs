// What the browser tests share: the built widget, one Chromium, pages that report their errors.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { KEY, startMock } from './mock-api.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const STRICT_CSP =
  "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell', // a third quicker
    args: ARGS,
  });
}

export async function startLab() {
  const web = mkdtempSync(join(tmpdir(), 'frontdesk-web-'));
  execFileSync(join(ROOT, 'scripts/build-web'), ['--out', web, '--demo-key', KEY]);
  const tag = (attributes = '') =>
    `<script async src="/widget.js" data-client-key="${KEY}" ${attributes}></script>`;
  const html = (body, attributes = 'lang="en"') =>
    `<!doctype html><html ${attributes}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A page</title></head><body>${body}</body></html>`;
  const mock = await startMock({
    web,
    sources: join(ROOT, 'web/widget/src'),
    pages: {
      '/plain': { html: html(`<h1>Shop</h1><button id="before">Before</button>${tag()}`) },
      '/strict': {
        html: html(`<h1>Shop</h1>${tag()}`),
        headers: { 'Content-Security-Policy': STRICT_CSP },
      },
      '/hebrew': { html: html(`<h1>חנות</h1>${tag()}`, 'lang="he" dir="rtl"') },
      '/dark': { html: html(`<h1>Shop</h1>${tag('data-theme="dark" data-position="left"')}`) },
      '/twice': { html: html(`<h1>Shop</h1>${tag()}${tag()}`) },
      '/blank': { html: html('') },
      '/library': {
        // what Prototype.js 1.6, MooTools and forgotten polyfills do to a page
        html: html(`<script>
          Array.prototype.toJSON = function () { return 'no list'; };
          Array.prototype.each = Array.prototype.first = function () {};
          for (const name of ['map', 'filter', 'find', 'forEach', 'includes', 'some', 'reduce', 'flat', 'at'])
            Array.prototype[name] = function () { throw new Error(name + ' of the page'); };
          Array.from = (list) => list;
          Object.freeze(Object.prototype);
          Object.freeze(Array.prototype);
        </script><h1>Shop</h1>${tag()}`),
      },
      '/keyless': { html: html('<script async src="/widget.js"></script>') },
      '/head': {
        html: `<!doctype html><html lang="en"><head><title>A page</title>${tag().replace('async', '')}</head><body><h1>Shop</h1></body></html>`,
      },
      '/rude': {
        html: html(
          `<style>* { display: block !important; color: red !important; font-size: 40px; } div { border: 9px solid }</style>${tag()}`,
        ),
      },
    },
  });
  const browser = await launch();
  const { files } = JSON.parse(readFileSync(join(web, 'manifest.json')));
  return {
    mock,
    browser,
    widget: join(web, files[0].file),
    budget: join(ROOT, 'web/widget/budget.json'),
    async close() {
      await browser.close();
      await mock.close();
      rmSync(web, { recursive: true });
    },
  };
}

/** A page whose errors, refused requests and policy violations are collected. */
export async function visit(lab, path, options = {}) {
  const context = options.context ?? (await lab.browser.newContext(options));
  const page = await context.newPage();
  page.faults = [];
  page.hosts = new Set();
  page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const expected = /Failed to load resource|net::ERR/.test(message.text());
    if (message.type() === 'error' && !expected) page.faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => page.hosts.add(new URL(request.url()).host));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(lab.mock.url + path);
  return page;
}

export const launcher = (page) => page.locator('.launcher');
export const answers = (page) => page.locator('.turns .assistant');
export const questions = (page) => page.locator('.turns .user');

export async function ask(page, text) {
  if (!(await page.locator('.panel').isVisible())) await launcher(page).click();
  await page.locator('.input').fill(text);
  await page.locator('.input').press('Enter');
}

/** Waits until the newest answer is over, in whatever way. */
export async function settled(page) {
  await page
    .locator('.turns .assistant')
    .last()
    .and(page.locator('[data-status=done], [data-status=stopped], [data-status=failed]'))
    .waitFor();
}

/** Tries the failed answer again; returns when it is no longer shown as failed. */
export async function tryAgain(page) {
  await page.locator('.assistant .retry:enabled:visible').click();
  await page.locator('.assistant[data-status=failed]').waitFor({ state: 'detached' });
}

export async function lastAnswer(page) {
  await settled(page);
  return (await answers(page).last().locator('.prose').innerText()).trim();
}

/** What the menu of the window offers. */
export async function choose(page, name) {
  await page.getByRole('button', { name: 'More' }).click();
  await page.locator('.menu').getByText(name, { exact: true }).click();
}
