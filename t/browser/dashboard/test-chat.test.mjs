// ADM-4 in the dashboard: the test chat with its trace, cases that are kept, and runs side by side.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, api, close, open, options, overflows, shoot, start, url } from './harness.mjs';

const slow = { ...options, timeout: 240000 };

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

const answered = (page) => page.getByRole('button', { name: 'Keep as a case' });

async function ask(page, question) {
  await page.getByLabel('Question').fill(question);
  await page.keyboard.press('Enter');
}

test(
  'ADM-4: an answer shows what it was made of, and goes on as a conversation',
  slow,
  async () => {
    const page = await open(browser, '/test', { as: 'staff' });
    await page.getByText('Nothing asked yet').waitFor();
    await ask(page, 'How long does shipping take?');
    await answered(page).waitFor();
    await page.locator('.message.ai .sources li').first().waitFor();
    await page.locator('.message.ai .cite').first().waitFor();
    const trace = page.locator('.trace');
    await trace.getByRole('heading', { name: /^Time/ }).waitFor();
    await trace.getByText('article:shipping', { exact: true }).waitFor();
    await trace.locator('summary').filter({ hasText: 'Instructions' }).first().click();
    await trace.getByText(/front desk assistant/).waitFor();
    await trace.getByText('general_qa').waitFor();
    await trace.getByRole('heading', { name: 'How it sounds' }).waitFor();
    await trace.getByText('By rule').waitFor();
    await accessible(page, 'trace');
    await shoot(page, 'test-chat');
    await ask(page, 'And what does it cost?');
    await answered(page).nth(1).waitFor();
    assert.equal(await page.locator('.message.ai').count(), 2);
    const { conversations } = await api('GET', 'admin/conversations?order=recent&limit=50');
    assert.ok(
      !conversations.some(({ channel }) => channel === 'test'),
      'it is in no list by itself',
    );
    await close(page);
  },
);

test('ADM-4: a dry run calls nobody and shows what would be sent', slow, async () => {
  const page = await open(browser, '/test', { as: 'staff' });
  await page.getByLabel('Question').fill('How do I return something?');
  await page.getByRole('button', { name: 'Dry run' }).click();
  const dialog = page.getByRole('dialog', { name: 'Dry run' });
  await dialog.getByText(/tokens to read/).waitFor();
  await dialog
    .getByText(/^article:returns/)
    .first()
    .waitFor();
  await accessible(page, 'dry run');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.message').count(), 0);
  await close(page);
});

test('ADM-4: a case is kept, run with two texts, and what is wrong is said', slow, async () => {
  const { test_cases: old } = await api('GET', 'admin/test-cases?limit=200');
  for (const { id } of old) await api('DELETE', `admin/test-cases/${id}`);
  const page = await open(browser, '/test', { as: 'staff' });
  await ask(page, 'How long does shipping take?');
  await answered(page).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Shipping');
  await dialog.getByLabel('Has these texts').fill('a unicorn');
  await accessible(page, 'a case');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });

  await page.getByRole('tab', { name: 'Cases' }).click();
  await page.getByRole('button', { name: 'Run the cases' }).click();
  await dialog.getByRole('switch').click();
  await dialog.getByLabel('Other instructions').last().fill('Answer in one sentence.');
  await dialog.getByRole('button', { name: 'Start' }).click();
  await page.locator('.actions').getByText('Done', { exact: true }).waitFor();
  assert.equal(await page.locator('.result').count(), 2);
  await page
    .locator('.result .error')
    .getByText(/unicorn/)
    .first()
    .waitFor();
  await accessible(page, 'a run');
  await shoot(page, 'test-run');

  await page.getByRole('tab', { name: 'Cases' }).click();
  await page.getByRole('button', { name: 'Actions for Shipping' }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await dialog.getByLabel('Has these texts').fill('working days');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('“working days”').waitFor();
  await page.getByRole('button', { name: 'Actions for Shipping' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No cases yet').waitFor();
  await close(page);
});

for (const [look, how] of [
  ['dark', { context: { colorScheme: 'dark' } }],
  ['hebrew, narrow', { language: 'he', context: { viewport: { width: 360, height: 720 } } }],
]) {
  test(
    `ADM-4: the test chat, ${look}: axe finds nothing, nothing is wider than the window`,
    slow,
    async () => {
      const page = await open(browser, '/test', { as: 'staff', ...how });
      await page.locator('textarea').first().fill('כמה זמן לוקח המשלוח?');
      await page.keyboard.press('Enter');
      await page.locator('.stretches').waitFor();
      await accessible(page, look);
      assert.equal(await overflows(page), false);
      for (const tab of ['cases', 'runs']) {
        await page.goto(`${url}/dashboard/test?tab=${tab}`);
        await page.waitForFunction(
          () => document.querySelector('main h1') && !document.querySelector('main .skeleton'),
        );
        await accessible(page, `${tab} ${look}`);
        assert.equal(await overflows(page), false);
      }
      await close(page);
    },
  );
}
