// ADM-4 in the dashboard: a test chat whose model calls tools that change something, and a
// connection that breaks in the middle of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, api, close, open, options, start, testedKey } from './harness.mjs';

const slow = { ...options, timeout: 240000 };
const key = testedKey;

let browser;
before(async () => {
  browser = await start();
  if (!browser) return;
  await api(
    'PUT',
    'admin/ai-settings/provider',
    { provider: 'openai', base_url: process.env.FRONTDESK_MODEL, api_key: 'sk-of-a-model-server' },
    key,
  );
  const known = await api('GET', 'admin/tools', undefined, key);
  if (known.tools.some(({ name }) => name === 'book_table')) return;
  await api(
    'POST',
    'admin/tools',
    {
      name: 'book_table',
      description: 'Books a table.',
      url: process.env.FRONTDESK_HOOK,
      risk: 'write',
      parameters_schema: {
        type: 'object',
        required: ['day'],
        properties: { day: { type: 'string' } },
      },
    },
    key,
  );
});
after(() => browser?.close());

/** What t/lib/provider.pl reads in the question: a call, then an answer. */
const booking = (day, text) => {
  const rounds = [{ tools: [{ name: 'book_table', arguments: { day } }] }, { text }];
  return `Book a table for ${day} @${JSON.stringify({ rounds })}@`;
};

async function ask(page, question) {
  await page.getByLabel('Question').fill(question);
  await page.keyboard.press('Enter');
}

const question = (page) => page.locator('.message.ai').last().locator('.notice');
const runs = async () => {
  const { executions } = await api('GET', 'admin/tool-executions?tool=book_table', undefined, key);
  return executions.map((one) => `${one.arguments.day} ${one.status}`);
};

test('ADM-4: a tool that changes something runs in a test only after a yes', slow, async () => {
  const page = await open(browser, '/test', { as: 'tester' });
  await ask(page, booking('Monday', 'I could not.'));
  await page.locator('.message.ai .prose').getByText('I could not.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Yes, do it' }).count(), 0);
  await page.getByRole('switch', { name: 'Tools may change things' }).click();

  await ask(page, booking('Tuesday', 'Then not.'));
  await question(page).getByText('Tuesday').first().waitFor();
  await accessible(page, 'a question');
  await question(page).getByRole('button', { name: 'No', exact: true }).click();
  await page.locator('.message.ai .prose').getByText('Then not.').waitFor();

  await ask(page, booking('Friday', 'It is booked.'));
  await question(page).getByRole('button', { name: 'Yes, do it' }).click();
  await page.locator('.message.ai .prose').getByText('It is booked.').waitFor();
  assert.deepEqual(await runs(), ['Friday done', 'Tuesday declined']);
  await page.locator('.trace .tool-call').getByText('Done', { exact: true }).waitFor();
  await close(page);
});

test('ADM-4: a test chat that was cut goes on where it was, and nothing twice', slow, async () => {
  const page = await open(browser, '/test', { as: 'tester' });
  await page.getByRole('switch', { name: 'Tools may change things' }).click();
  await ask(page, booking('Sunday', 'Booked for Sunday.'));
  await question(page).getByRole('button', { name: 'Yes, do it' }).waitFor();
  const resumed = page.waitForResponse((answer) => /\/test-chat\/[^/]+$/.test(answer.url()));
  await page.context().setOffline(true);
  await page.waitForFunction(() => !navigator.onLine);
  await page.context().setOffline(false);
  const response = await resumed;
  assert.equal(response.status(), 200);
  assert.ok(response.request().headers()['last-event-id'], 'behind what was heard');
  await question(page).getByRole('button', { name: 'Yes, do it' }).click();
  await page.locator('.message.ai .prose').getByText('Booked for Sunday.').waitFor();
  await page.getByRole('button', { name: 'Keep as a case' }).waitFor();
  const requests = page.locator('.trace h3').filter({ hasText: /^Request/ });
  assert.equal(await requests.count(), 2);
  assert.equal(await page.locator('.trace .tool-call').count(), 1);
  assert.equal(await page.getByText('Booked for Sunday.', { exact: true }).count(), 1);
  await close(page);
});
