// What lies over a page: messages are seen over it, and nothing that was typed in it is lost unasked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, close, open, options, start } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

test(
  'DSH: a message lies over an open dialog, is read there and can be dismissed',
  options,
  async () => {
    const context = { permissions: ['clipboard-read', 'clipboard-write'] };
    const page = await open(browser, '/keys', { as: 'side', context });
    await page.getByRole('button', { name: 'Make a key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('copied');
    await dialog.getByLabel('Kind').selectOption('sk');
    await dialog.getByRole('button', { name: 'Make a key' }).click();
    await page.getByRole('dialog', { name: 'Your new key' }).waitFor();
    await dialog.getByRole('button', { name: 'Copy' }).click();
    const message = page.locator('.toast').filter({ hasText: 'Copied' });
    await message.waitFor();
    assert.ok(
      await message.evaluate((node) => {
        const { x, y, width, height } = node.getBoundingClientRect();
        return node.contains(document.elementFromPoint(x + width / 2, y + height / 2));
      }),
      'nothing is over it',
    );
    await dialog.getByRole('status').getByText('Copied').waitFor(); // outside it would be inert
    await accessible(page, 'a message over a dialog');
    await message.getByRole('button', { name: 'Dismiss the message' }).click();
    await message.waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await message.waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'detached' });
    await message.waitFor(); // it stays when the dialog goes
    await close(page);
  },
);

test(
  'DSH: by Escape or a click beside a dialog nothing that was typed is lost unasked',
  options,
  async () => {
    const page = await open(browser, '/settings?tab=replies', { as: 'staff' });
    await page.getByRole('button', { name: 'New reply' }).click();
    const dialog = page.getByRole('dialog', { name: 'New reply' });
    await page.keyboard.press('Escape'); // nothing is typed yet
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'New reply' }).click();
    await dialog.getByLabel('Text').fill('Half a reply');
    const asked = page.getByRole('dialog', { name: 'Leave without saving?' });
    await page.keyboard.press('Escape');
    await asked.getByRole('button', { name: 'Cancel' }).click();
    await asked.waitFor({ state: 'detached' });
    assert.equal(await dialog.getByLabel('Text').inputValue(), 'Half a reply');
    await page.mouse.click(5, 5);
    await asked.getByRole('button', { name: 'Leave' }).click();
    await dialog.waitFor({ state: 'detached' });
    await close(page);
  },
);
