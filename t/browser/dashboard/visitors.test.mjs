// ENG-17 in the dashboard: all that is kept of a visitor is downloaded, and deleted.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { accessible, api, close, open, options, overflows, start } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

test("ENG-17: a visitor's data is taken out and deleted, and that it was done is kept", options, async () => {
  const visitor = `shopper-${Date.now()}`;
  for (const message of ['Do you ship to Norway?', 'And to Iceland?']) {
    await api('POST', 'v1/chat', { message, user_id: visitor });
  }
  const page = await open(browser, '/settings?tab=visitors', { as: 'admin' });
  await page.getByLabel('Known by').selectOption('user_identifier');
  await page.getByLabel('Your name for them (user id)').last().fill(visitor);
  await accessible(page, "visitors' data");

  const asked = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download everything' }).click();
  const file = JSON.parse(await readFile(await (await asked).path(), 'utf8'));
  assert.equal(file.user_identifier, visitor);
  const said = file.conversations.flatMap(({ messages }) => messages.map(({ content }) => content));
  assert.ok(said.includes('Do you ship to Norway?') && said.includes('And to Iceland?'), String(said));
  await page.getByRole('row').filter({ hasText: 'Exported' }).first().waitFor();

  await page.getByRole('button', { name: 'Delete everything' }).click();
  const sure = page.getByRole('dialog', { name: `Delete all that is kept of ${visitor}?` });
  await sure.getByRole('button', { name: 'Delete everything' }).click();
  await page.locator('.toast').getByText('2 conversations were deleted').waitFor();
  await page.getByRole('row').filter({ hasText: 'Deleted' }).first().waitFor();
  const left = await api('GET', `admin/conversations?user=${visitor}`);
  assert.deepEqual(left.conversations, []);

  await page.getByLabel('Your name for them (user id)').last().fill(visitor);
  await page.getByRole('button', { name: 'Delete everything' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete everything' }).click();
  await page.locator('.toast').getByText('Nothing is kept of this visitor').waitFor();
  assert.equal(await overflows(page), false);
  await close(page);
});
