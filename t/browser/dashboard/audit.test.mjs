// ADM-1 in the dashboard: the audit log says in a sentence who did what, in both languages, finds it
// again, and leads from a thing to its history.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  accessible,
  api,
  close,
  heading,
  open,
  options,
  overflows,
  people,
  shoot,
  start,
  url,
} from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

const deed = (page, text) => page.locator('.deed').filter({ hasText: text });
const sentence = (page, text) => deed(page, text).first().locator('.deed-line > span');

/** A tool that was made, and changed twice. */
async function makeTool() {
  const name = `audited_${Date.now()}`;
  await api('POST', 'admin/tools', {
    name,
    description: 'Looks an order up. '.repeat(12),
    url: 'https://example.com/hook',
    risk: 'read',
    timeout_ms: 10000,
    parameters_schema: { type: 'object', properties: {} },
  });
  await api('PATCH', `admin/tools/${name}`, { timeout_ms: 20000, risk: 'write' });
  await api('PATCH', `admin/tools/${name}`, { enabled: false });
  return name;
}

test(
  'ADM-1: what was done stands in a sentence, field by field, with a link to the thing',
  options,
  async () => {
    const name = await makeTool();
    const page = await open(browser, `/tools/${name}`, { as: 'admin' });
    await page.getByRole('link', { name: 'History' }).click();
    await heading(page, 'Audit log').waitFor();
    await page.getByText('History of Tools').waitFor();
    await deed(page, 'added').waitFor();
    assert.equal(await page.locator('.deed').count(), 3);
    assert.match(
      await sentence(page, 'switched off').innerText(),
      new RegExp(`^The key .+ switched off the tool ${name}$`),
    );
    assert.match(
      await sentence(page, 'added').innerText(),
      new RegExp(`^The key .+ added the tool ${name}$`),
    );
    const changed = deed(page, 'changed');
    assert.match(await changed.locator('summary').first().innerText(), /Risk: Reads → Changes/);
    assert.match(
      await changed.locator('summary').first().innerText(),
      /Longest wait: 10\s*s → 20\s*s/,
    );
    await changed.locator('summary').first().click();
    const wait = changed.getByRole('row').filter({ hasText: 'Longest wait' });
    assert.deepEqual(
      (await wait.locator('td').allInnerTexts()).map((text) => text.replace(/\s/g, '')),
      ['10s', '20s'],
    );
    await changed.getByText(`PATCH tools/:name`).waitFor();
    await deed(page, 'added').locator('summary').first().click();
    const long = deed(page, 'added').getByRole('row').filter({ hasText: 'What it does' });
    assert.equal(await long.locator('.deed-value').isVisible(), false); // folded
    await long.locator('summary').click();
    await long.locator('.deed-value').waitFor();
    await accessible(page, 'history of a tool');
    await shoot(page, 'audit-light');
    await page.getByRole('button', { name: 'Export' }).click();
    const file = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'CSV for spreadsheets' }).click();
    assert.equal((await file).suggestedFilename(), 'audit.csv');
    await changed.getByRole('link', { name: `the tool ${name}` }).click();
    await heading(page, name).waitFor();
    await api('DELETE', `admin/tools/${name}`);
    await page.goto(`${url}/dashboard/audit?thing=tools/${name}`);
    await deed(page, 'removed').waitFor();
    assert.equal(await page.getByRole('link', { name: `the tool ${name}` }).count(), 0); // it is gone
    await page.getByRole('button', { name: 'Show everything' }).click();
    await page.waitForFunction(() => !location.search);
    await close(page);
  },
);

test('ADM-1: keys, people, sign-ins and the platform’s owner by their names', options, async () => {
  const key = await api('POST', 'admin/keys', { name: `page ${Date.now()}`, kind: 'sk' });
  const { keys } = await api('GET', 'admin/keys?limit=200');
  const { name } = keys.find(({ id }) => id === key.id);
  await api('DELETE', `admin/keys/${key.id}`);
  const fail = () =>
    fetch(`${url}/api/admin/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: url },
      body: JSON.stringify({ email: people.mate.email, password: 'surely not this one' }),
    });
  while ((await fail()).status === 503); // passwords are looked at a few at a time
  const page = await open(browser, `/audit?thing=keys/${key.id}`, { as: 'admin' });
  assert.match(await sentence(page, 'revoked').innerText(), new RegExp(`revoked the key ${name}$`));
  await page.goto(`${url}/dashboard/audit?verb=sign-in-failed`);
  assert.equal(
    await sentence(page, people.mate.email).innerText(),
    `Somebody failed to sign in as ${people.mate.email}`,
  );
  await page.goto(`${url}/dashboard/audit?kind=sessions&q=${people.admin.email}`);
  assert.equal(await sentence(page, 'signed in').innerText(), `${people.admin.email} signed in`);
  await page.getByLabel('Who').selectOption({ label: people.admin.email });
  await page.waitForFunction(() =>
    new URLSearchParams(location.search).get('actor')?.startsWith('user:'),
  );
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByRole('searchbox').fill('no such thing anywhere');
  await page.getByText('No entry fits these filters').waitFor();
  await accessible(page, 'nothing found');
  await close(page);
});

const looks = {
  dark: { context: { colorScheme: 'dark' } },
  hebrew: { language: 'he' },
  narrow: { context: { viewport: { width: 360, height: 720 } } },
  'dark-hebrew-narrow': {
    language: 'he',
    context: { colorScheme: 'dark', viewport: { width: 360, height: 720 } },
  },
};
for (const [look, how] of Object.entries(looks)) {
  test(
    `ADM-1: the audit log, ${look}: axe finds nothing, nothing is wider than the window`,
    options,
    async () => {
      const name = await makeTool();
      const page = await open(browser, `/audit?q=${name}`, { as: 'admin', ...how });
      const changed = deed(page, how.language === 'he' ? 'שינוי' : 'changed');
      await changed.locator('summary').first().click();
      if (how.language === 'he') {
        assert.match(
          await sentence(page, 'שינוי').innerText(),
          new RegExp(`^המפתח .+: שינוי הכלי ${name}$`),
        );
        assert.match(await changed.locator('summary').first().innerText(), /סיכון: מ־קורא ל־משנה/);
        assert.match(
          await sentence(page, 'השבתת').innerText(),
          new RegExp(`: השבתת הכלי ${name}$`),
        );
      }
      await accessible(page, look);
      assert.equal(await overflows(page), false, look);
      await shoot(page, `audit-${look}`);
      await api('DELETE', `admin/tools/${name}`);
      await close(page);
    },
  );
}
