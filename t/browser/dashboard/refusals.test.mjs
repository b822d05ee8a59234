// ADM-8, WID-4: what the server refuses is told in the language of the page, at the field, with the limit, the
// name or the reason; a sentence of the server's own English is shown to nobody who reads Hebrew.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import he from '../../../web/dashboard/lang/he.js';
import { accessible, api, close, open, options, people, start, url } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

/** As a reader sees it: without the marks that keep names apart. */
const plain = (text) => text.replace(/[\u200e\u200f\u2066-\u2069]/g, '').trim();
const sentence = (code, values = {}) =>
  plain(he.faults[code].replace(/\{(\w+)\}/g, (all, name) => values[name]));
const noEnglish = (text) => assert.doesNotMatch(text, /[A-Za-z]+ [a-z]+ [a-z]+/, text);

/** Sends a form as it was filled in, and says what stands at the field then. */
async function refused(page, name) {
  const form = page.locator('form').filter({ has: page.locator(`[name="${name}"]`) });
  await form.locator('button[type="submit"]').click();
  const field = page.locator('.field').filter({ has: page.locator(`[name="${name}"]`) });
  await field.locator('[aria-invalid="true"]').waitFor();
  const text = plain(await field.locator('.error').textContent());
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), name);
  noEnglish(text);
  return text;
}

const hebrew = (path) => open(browser, path, { as: 'admin', language: 'he' });

test('ADM-8: a person whose address is taken, in Hebrew', options, async () => {
  const page = await hebrew('/users');
  await page.getByRole('button', { name: he.users.invite }).click();
  await page.locator('[name="email"]').fill(people.admin.email);
  assert.equal(await refused(page, 'email'), sentence('email_taken'));
  await accessible(page, 'refused');
  await close(page);
});

test(
  'ADM-8: a site that is none, with its name and why; a name that is too long, with the limit',
  options,
  async () => {
    const page = await hebrew('/keys');
    await page.getByRole('button', { name: he.keys.make }).click();
    await page.locator('[name="name"]').fill('אתר');
    await page.locator('[name="origins"]').fill('shop.example');
    const why = sentence('origin_scheme');
    assert.equal(
      await refused(page, 'origins'),
      sentence('origin_wrong', { origin: 'shop.example', why }),
    );
    await page.locator('[name="name"]').fill('ש'.repeat(60)); // 120 bytes
    assert.equal(await refused(page, 'name'), sentence('text_length', { min: 1, max: 100 }));
    await close(page);
  },
);

test(
  'ADM-8: a shortcut with letters that it cannot have, and one that is there',
  options,
  async () => {
    const shortcut = `taken-${Date.now()}`;
    await api('POST', 'admin/canned-replies', { shortcut, text: 'x' });
    const page = await hebrew('/settings?tab=replies');
    await page.getByRole('button', { name: he.settings.newReply }).click();
    await page.locator('[name="text"]').fill('שלום');
    await page.locator('[name="shortcut"]').fill('שלום');
    assert.equal(await refused(page, 'shortcut'), sentence('shortcut'));
    await page.locator('[name="shortcut"]').fill(shortcut);
    assert.equal(await refused(page, 'shortcut'), sentence('shortcut_taken'));
    await close(page);
  },
);

test('ADM-8: a tool with an address and a schema that cannot be', options, async () => {
  const page = await hebrew('/tools/new');
  await page.locator('[name="name"]').fill(`tool_${Date.now()}`);
  await page.locator('[name="description"]').fill('מחפש');
  await page.locator('[name="url"]').fill('https://me:secret@shop.example/hook');
  assert.equal(await refused(page, 'url'), sentence('url_parts'));
  await page.locator('[name="url"]').fill('https://shop.example/hook');
  await page
    .locator('[name="parameters_schema"]')
    .fill('{"type": "object", "properties": {"day": {"type": "weekday"}}}');
  const text = await refused(page, 'parameters_schema');
  assert.match(text, /properties\.day/);
  assert.match(text, /"string", "integer"/);
  await close(page);
});

test('ADM-8: a file that cannot be read', options, async () => {
  const page = await hebrew('/knowledge');
  await page.getByRole('button', { name: he.knowledge.upload }).click();
  await page.locator('input[type="file"]').setInputFiles({
    name: 'a.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('PK\x03\x04 a document'),
  });
  await page.getByText(he.knowledge.refused).waitFor();
  assert.equal(
    plain(await page.getByRole('dialog').locator('.rows .about').textContent()),
    sentence('file_office'),
  );
  await close(page);
});

test(
  'ADM-8: what is told by its type alone, and what nobody knows, as it was said',
  options,
  async () => {
    const page = await hebrew('/users');
    let document = { code: 'unavailable', title: 'The service is not available at the moment.' };
    await page.route(`${url}/api/admin/users`, (route) =>
      route.request().method() === 'POST'
        ? route.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: JSON.stringify(document),
          })
        : route.fallback(),
    );
    await page.getByRole('button', { name: he.users.invite }).click();
    await page.locator('[name="email"]').fill('a@b.example');
    const submit = page.getByRole('button', { name: he.users.inviteThem });
    await submit.click();
    await page.getByRole('dialog').getByText(he.problems.unavailable).waitFor();
    document = { code: 'sign-in-failed', detail: 'English of nginx' };
    await submit.click();
    await page.getByRole('dialog').getByText(he.problems['sign-in-failed']).waitFor();
    document = {
      code: 'conflict',
      detail: 'Whatever it is.',
      reason: { code: 'of_tomorrow', params: {} },
    };
    await submit.click();
    await page.getByRole('dialog').getByText('Whatever it is.').waitFor();
    await close(page);
  },
);

/** Sentences without a Hebrew letter, but for what people wrote, names and code. */
const foreign = () => {
  const own = 'code, pre, kbd, bdi, [dir="auto"], noscript, script, style, textarea, option';
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { data, parentElement: at } = texts.currentNode;
    if (at.closest(own) || /[\u05d0-\u05ea@]/.test(data)) continue;
    if (/[a-z]{2,}[ ,]+[a-z]{2,}/.test(data)) found.push(data);
  }
  return found;
};

test(
  'WID-4: in Hebrew no page says a sentence in English',
  { ...options, timeout: 120000 },
  async () => {
    // somebody whose sessions no other test ends
    const page = await open(browser, '/account', { as: 'walker', language: 'he' });
    await page.locator('main h1').first().waitFor({ state: 'attached' });
    const paths = await page
      .locator('.sidebar .nav-entry')
      .evaluateAll((links) =>
        links.map((link) => link.getAttribute('href').slice('/dashboard'.length)),
      );
    assert.ok(paths.length > 15);
    const { conversations } = await api('GET', 'admin/conversations?limit=1');
    const inner = conversations.map(({ id }) => `/conversations/${id}`);
    for (const path of [...paths, ...inner, '/tools/new', '/knowledge/new']) {
      await page.goto(`${url}/dashboard${path}`);
      await page.locator('main h1').first().waitFor({ state: 'attached' });
      await page.waitForFunction(() => !document.querySelector('main .skeleton'));
      assert.deepEqual(await page.evaluate(foreign), [], path);
    }
    await close(page);
  },
);
