// ADM-2, ADM-3, ADM-6, ADM-7 in the dashboard: the widget's look and place, what the assistant
// knows and can do, and what became of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  accessible,
  api,
  ask,
  close,
  heading,
  open,
  options,
  shoot,
  start,
  testedKey,
  url,
  walkInTheDark,
} from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

const saved = (page, text = 'Saved') => page.locator('.toast').getByText(text).last().waitFor();
const inWidget = (page) => page.frameLocator('.preview-frame');

test(
  'ADM-2: the look is shown on the real widget while it is chosen, and then it is the site’s',
  options,
  async () => {
    const was = await api('GET', 'admin/branding');
    const page = await open(browser, '/branding', { as: 'admin' });
    await inWidget(page)
      .getByText(was.name ?? 'Demo')
      .first()
      .waitFor();
    const title = `Shop ${Date.now()}`;
    await page.getByLabel('Title of the window').first().fill(title);
    await page.getByLabel('Colour').fill('#7a1fa2');
    await inWidget(page).getByText(title).first().waitFor();
    await inWidget(page).getByRole('textbox').fill('Do you deliver?');
    await inWidget(page).getByRole('textbox').press('Enter');
    await inWidget(page).locator('strong').getByText('three days').waitFor();
    await page.getByRole('button', { name: 'Hebrew' }).click();
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.getByRole('button', { name: 'Phone' }).click();
    await inWidget(page).locator('[dir=rtl]').first().waitFor({ state: 'attached' });
    await accessible(page, 'branding');
    await shoot(page, 'branding');
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
    const config = () =>
      fetch(`${url}/api/v1/config`, {
        headers: { 'X-Api-Key': process.env.FRONTDESK_CLIENT_KEY, Origin: url },
      }).then((answer) => answer.json());
    for (;;) if ((await config()).branding.primary_color === '#7a1fa2') break;
    const { title: texts } = await api('GET', 'admin/branding');
    assert.equal(texts.en ?? texts, title);
    await page.getByLabel('Logo').fill('http://plain.example/logo.png');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.field.wrong').getByLabel('Logo').waitFor();
    await api('PUT', 'admin/branding', { title: was.title, primary_color: was.primary_color });
    await close(page);
  },
);

test(
  'ADM-7: the line to paste works, and the site where it was seen is named',
  options,
  async () => {
    const page = await open(browser, '/install', { as: 'staff' });
    const snippet = await page.locator('.snippet code').first().textContent();
    assert.match(
      snippet,
      /<script async src="[^"]+\/widget\.js" data-client-key="fd_pk_[^"]+"><\/script>/,
    );
    // only a whole line is there to be copied: whoever kept the key puts it in
    const copy = page.locator('.snippet').first().getByRole('button', { name: 'Copy' });
    assert.equal(await copy.count(), 0);
    const { last4 } = (await api('GET', 'admin/installation')).key;
    await page.getByLabel('Your publishable key').fill(`fd_sk_${'a'.repeat(45)}${last4}`);
    await page.getByText('not a publishable key').waitFor();
    assert.equal(await copy.count(), 0);
    const kept = `fd_pk_${'a'.repeat(45)}${last4}`;
    await page.getByLabel('Your publishable key').fill(kept);
    await copy.waitFor();
    assert.ok((await page.locator('.snippet code').first().textContent()).includes(`"${kept}"`));
    await fetch(`${url}/api/v1/config`, {
      headers: { 'X-Api-Key': process.env.FRONTDESK_CLIENT_KEY, Origin: url },
    });
    const seen = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'Seen on your site' }) });
    for (;;) {
      if (await seen.getByText(url).count()) break;
      await page.getByRole('button', { name: 'Look again' }).click();
    }
    await accessible(page, 'installation');
    await close(page);

    const admin = await open(browser, '/install', { as: 'admin' });
    await admin.getByText('The key is not at hand?').click();
    await admin.getByLabel('Your site').fill('https://pasted.example');
    await admin.getByRole('button', { name: 'Make a key' }).click();
    await admin.getByText('shown this once').waitFor();
    const [key] = /fd_pk_\w{49}/.exec(await admin.locator('.snippet code').first().textContent());
    const asked = () =>
      fetch(`${url}/api/v1/config`, {
        headers: { 'X-Api-Key': key, Origin: 'https://pasted.example' },
      });
    for (let answer; (answer = await asked()).status !== 200; ) await answer.text();
    await close(admin);
  },
);

test('ADM-7: the first key of all brings the whole line', options, async () => {
  const { keys } = await api('GET', 'admin/keys?limit=200', undefined, testedKey);
  for (const { id, kind, status } of keys) {
    if (kind === 'pk' && status === 'active')
      await api('DELETE', `admin/keys/${id}`, undefined, testedKey);
  }
  const page = await open(browser, '/install', { as: 'tester' });
  await page.getByText('There is no publishable key yet').waitFor();
  await page.getByLabel('Your site').fill('https://first.example');
  await page.getByRole('button', { name: 'Make a key' }).click();
  const line = page.locator('.snippet code').filter({ hasText: '<script' });
  assert.match(await line.textContent(), /data-client-key="fd_pk_\w{49}"/);
  await page.getByText('shown this once').waitFor();
  await close(page);
});

test('ADM-3 ENG-13: an article is written, found, changed and forgotten', options, async () => {
  const page = await open(browser, '/knowledge', { as: 'admin' });
  await page.getByRole('link', { name: 'Write an article' }).first().click();
  await page.getByLabel('Title').fill('Unicycles');
  await page
    .getByLabel('Text')
    .fill(
      '# Unicycles\n\nA unicycle costs 99 euros.\n\n## Repair\n\nWe repair unicycles on Tuesdays.',
    );
  await page.getByRole('button', { name: 'Save' }).click();
  await heading(page, 'Unicycles').waitFor();
  await page.locator('.found').getByText('Tuesdays').waitFor();
  await accessible(page, 'an article');
  await page.goto(`${url}/dashboard/knowledge?tab=search`);
  await page.getByRole('textbox', { name: 'Question' }).fill('What does a unicycle cost?');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator('.found').getByText('99 euros').waitFor();
  await accessible(page, 'a search');
  await shoot(page, 'knowledge-search');
  await page.getByRole('tab', { name: 'Articles' }).click();
  await page.getByRole('link', { name: /Unicycles/ }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await saved(page, 'forgotten');
  await heading(page, 'Knowledge').waitFor();
  await close(page);
});

test(
  'ADM-3 ENG-13: files are uploaded; what cannot be taken says why and keeps no other back',
  options,
  async () => {
    const page = await open(browser, '/knowledge', { as: 'admin' });
    await page.getByRole('button', { name: 'Upload files' }).click();
    const dialog = page.getByRole('dialog', { name: 'Upload files' });
    await dialog.locator('input[type=file]').setInputFiles([
      { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('no pdf') },
      {
        name: 'faq.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from('question,answer\nDo you sell stilts?,"Yes, from 20 euros."\n'),
      },
    ]);
    await dialog.getByText('Not taken').waitFor();
    await dialog.getByRole('button', { name: 'Open' }).waitFor();
    await accessible(page, 'an upload');
    await dialog.getByRole('button', { name: 'Open' }).click();
    await page.locator('.found').getByText('stilts').first().waitFor();
    await close(page);
  },
);

test(
  'ADM-3 ENG-10: a tool is made, tried for real, changed and switched off',
  options,
  async () => {
    const name = `find_store_${Date.now() % 100000}`;
    const page = await open(browser, '/tools/new', { as: 'admin' });
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('What it does').fill('Finds the nearest store.');
    await page.getByLabel('Address').fill(process.env.FRONTDESK_HOOK);
    await page.getByLabel('Arguments (JSON Schema)').fill('{"type": "object", ');
    await page.getByRole('button', { name: 'New tool' }).click();
    await page.locator('.field.wrong').getByText('This is not well-formed JSON').waitFor();
    await page
      .getByLabel('Arguments (JSON Schema)')
      .fill('{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}');
    await page.getByRole('button', { name: 'New tool' }).click();
    const secret = page.getByRole('dialog', { name: 'Signing secret' });
    await secret.locator('code').waitFor();
    await secret.getByRole('button', { name: 'Close' }).click();
    await heading(page, name).waitFor();
    await page.getByRole('textbox', { name: 'Arguments', exact: true }).fill('{"city": 7}');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('Wrong arguments').or(page.getByRole('alert')).first().waitFor();
    await page.getByRole('textbox', { name: 'Arguments', exact: true }).fill('{"city": "Haifa"}');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('It worked').waitFor();
    const sent = await page.getByLabel('What was sent').textContent();
    assert.match(sent, /^POST http/);
    assert.match(sent, /X-Frontdesk-Signature: \*\*\*/);
    assert.match(sent, /"city":"Haifa"/);
    await page.getByLabel('What came back').getByText('HTTP 200').waitFor();
    await accessible(page, 'a tool');
    await shoot(page, 'tool');
    await page.getByLabel('Risk').selectOption('write');
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
    await page.goto(`${url}/dashboard/tools`);
    await page.getByRole('switch', { name: `Use ${name}` }).click();
    for (;;) if ((await api('GET', `admin/tools/${name}`)).enabled === false) break;
    assert.equal((await api('GET', `admin/tools/${name}`)).risk, 'write');
    await close(page);
  },
);

test('ADM-3 ENG-11: a system is connected, and its test says what is wrong', options, async () => {
  const name = `erp ${Date.now()}`;
  const page = await open(browser, '/integrations', { as: 'admin' });
  await page.getByRole('button', { name: 'Connect a system' }).first().click();
  const form = page.getByRole('dialog', { name: 'Connect a system' });
  await form.getByLabel('Kind').selectOption('custom_api');
  await form.getByLabel('Name').fill(name);
  await form.getByLabel('Base address of the API').fill('https://erp.invalid/v2');
  await form.getByLabel('Token').fill('canary-token-4321');
  await accessible(page, 'connect');
  await form.getByRole('button', { name: 'Connect a system' }).click();
  await heading(page, name).waitFor();
  await page.getByText('ends with 4321').waitFor();
  assert.ok(!(await page.content()).includes('canary-token'));
  await page.getByRole('button', { name: 'New endpoint' }).click();
  const endpoint = page.getByRole('dialog', { name: 'New endpoint' });
  await endpoint.getByLabel('Name').fill(`delivery_${Date.now() % 100000}`);
  await endpoint.getByLabel('What it does').fill('When an order arrives.');
  await endpoint.getByLabel('Path').fill('/orders/{number}');
  await endpoint.getByRole('button', { name: 'Save' }).click();
  await endpoint.waitFor({ state: 'detached' });
  await page.getByText('When an order arrives.').waitFor();
  await page.getByRole('button', { name: 'Test now' }).click();
  await page
    .locator('section')
    .filter({ has: page.getByRole('heading', { name: 'Connection' }) })
    .locator('.badge.bad')
    .first()
    .waitFor();
  await accessible(page, 'an integration');
  await page.getByRole('link', { name: /^delivery_/ }).click();
  await page.getByLabel('Path').fill('/orders/{number}/delivery');
  await page.getByRole('button', { name: 'Save' }).click();
  await saved(page);
  await page.getByRole('textbox', { name: 'Arguments', exact: true }).fill('{"number": "7"}');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const sent = page.getByLabel('What was sent');
  await sent.getByText('GET https://erp.invalid/v2/orders/7/delivery').waitFor();
  await sent.getByText('Authorization: ***').waitFor();
  await accessible(page, 'an endpoint');
  await close(page);
});

test(
  'ENG-15: a channel is added with its secret shown once, and switched off',
  options,
  async () => {
    const page = await open(browser, '/channels', { as: 'admin' });
    const name = `telegram-${Date.now()}`;
    await page.getByRole('button', { name: 'Add a channel' }).click();
    const form = page.getByRole('dialog', { name: 'Add a channel' });
    await form.getByLabel('Name').fill(name);
    await form.getByLabel('Where answers go').fill('https://n8n.shop.example/webhook/out');
    await form.getByRole('button', { name: 'Save' }).click();
    const secret = page.getByRole('dialog', { name: 'Signing secret' });
    await secret.locator('code').waitFor();
    await accessible(page, 'a channel');
    await secret.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('switch', { name: `Use ${name}` }).click();
    for (;;) if ((await api('GET', `admin/channels/${name}`)).enabled === false) break;
    await page.getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('menuitem', { name: 'Deliveries' }).click();
    await page.getByText('Nothing was sent yet').waitFor();
    await close(page);
  },
);

test('ADM-6: a figure leads to the conversations it was counted of', options, async () => {
  await ask(`figures ${Date.now()}`);
  const page = await open(browser, '/analytics', { as: 'staff' });
  const tile = page.locator('.tile').filter({ hasText: 'Conversations' }).first();
  for (;;) {
    await tile.waitFor();
    if (Number(await tile.locator('strong').textContent()) > 0) break;
    await page.reload();
  }
  await page.locator('.chart canvas').waitFor();
  await accessible(page, 'analytics');
  await shoot(page, 'analytics');
  await tile.click();
  await heading(page, 'Conversations').waitFor();
  await page.getByRole('row').nth(1).waitFor();
  await close(page);
});

test('dark, hebrew, narrow: axe finds nothing, nothing is wider than the window', options, () =>
  walkInTheDark(browser, 'owner', [
    '/knowledge',
    '/knowledge/new',
    '/tools',
    '/tools?tab=log',
    '/tools?tab=approvals',
    '/tools/new',
    '/integrations',
    '/channels',
    '/branding',
    '/install',
    '/analytics',
  ]),
);
