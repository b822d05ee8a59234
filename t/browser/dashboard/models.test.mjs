// ADM-5 in the dashboard: models and money, and that a change takes effect.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  accessible,
  api as ofAny,
  ask,
  close,
  conversation,
  heading,
  open,
  options,
  shoot,
  sideKey,
  start,
  url,
  walkInTheDark,
} from './harness.mjs';

// an organisation of its own: others are asked meanwhile
const api = (method, path, body) => ofAny(method, path, body, sideKey);

let browser;
before(async () => {
  browser = await start();
  if (browser)
    await api('PUT', 'admin/ai-settings', {
      enabled_models: [],
      ab_split: null,
      sentiment_model: null,
      enabled: true,
    });
});
after(() => browser?.close());

const model = (page, name) => page.getByRole('row').filter({ hasText: name });
const saved = (page) => page.locator('.toast').getByText('Saved').last().waitFor();

test(
  'ADM-5: a model is switched on, named and made the default; visitors get it',
  options,
  async () => {
    const page = await open(browser, '/models', { as: 'side' });
    await page.getByText('You have no list of your own yet').waitFor();
    await page.getByPlaceholder('Name of a model').fill('built-in');
    const row = model(page, 'builtin');
    await row.getByRole('switch').click();
    await row.getByText('Default').waitFor();
    await saved(page);
    await row.getByRole('button', { name: /Actions/ }).click();
    await page.getByRole('menuitem', { name: 'Name it for visitors' }).click();
    await page.getByLabel('Name for visitors').fill('The house model');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await model(page, 'The house model').waitFor();
    const words = `which model ${Date.now()}`;
    await ask(words, sideKey);
    assert.equal((await conversation(words, sideKey)).model_id, 'builtin');

    await model(page, 'The house model').getByRole('switch').click();
    await page.getByText('You have no list of your own yet').waitFor();
    await close(page);
  },
);

test('ADM-5: what the rules refuse is said, and nothing is changed', options, async () => {
  const { models } = await api('GET', 'admin/models');
  const other = models.find(({ model_id: id, allowed }) => id !== 'builtin' && allowed).model_id;
  const two = [
    { model_id: 'builtin', is_default: true },
    { model_id: other, is_default: false },
  ];
  await api('PUT', 'admin/ai-settings', { enabled_models: two });
  const page = await open(browser, '/models', { as: 'side' });
  await model(page, 'builtin').getByRole('switch').click();
  await page.getByRole('alert').getByText('Exactly one model').waitFor();
  assert.equal(await model(page, 'builtin').getByRole('switch').isChecked(), true);
  await page.getByRole('tab', { name: 'Answering' }).click();
  await page.getByLabel('Longest answer').fill('99999999');
  await page.getByRole('button', { name: 'Save' }).click();
  const wrong = page.locator('.field.wrong');
  await wrong.getByLabel('Longest answer').and(page.locator(':focus')).waitFor();
  await accessible(page, 'a wrong field');
  await page.getByRole('link', { name: 'Overview' }).click();
  await page
    .getByRole('dialog', { name: 'Leave without saving?' })
    .getByRole('button', { name: 'Cancel' })
    .click();
  assert.equal(await page.getByLabel('Longest answer').inputValue(), '99999999');
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('button', { name: 'Leave', exact: true }).click();
  await heading(page, 'Overview').waitFor();
  await api('PUT', 'admin/ai-settings', { enabled_models: [] });
  await close(page);
});

test('ADM-5: the assistant is switched off and on for everybody', options, async () => {
  const page = await open(browser, '/models?tab=answering', { as: 'side' });
  const turn = async () => {
    await page.getByRole('switch', { name: 'The assistant answers' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
  };
  const asked = () =>
    fetch(`${url}/api/v1/chat`, {
      method: 'POST',
      headers: { 'X-Api-Key': sideKey, 'Content-Type': 'application/json' },
      body: JSON.stringify({ message: 'Are you there?' }),
    });
  await turn();
  for (let answer; (answer = await asked()).status !== 403; ) await answer.text();
  await page.reload();
  await turn();
  for (let answer; (answer = await asked()).status !== 200; ) await answer.text();
  await close(page);
});

test(
  'ENG-14: a model that rates how visitors sound is named, or rules alone',
  options,
  async () => {
    const { models } = await api('GET', 'admin/models');
    const { model_id: priced } = models.find(
      ({ model_id: id, allowed, usd_per_mtok: price }) =>
        id !== 'builtin' && allowed && price?.input,
    );
    await api('PUT', 'admin/ai-settings', {
      enabled_models: [
        { model_id: 'builtin', is_default: true },
        { model_id: priced, is_default: false },
      ],
    });
    const page = await open(browser, '/models?tab=answering', { as: 'side' });
    const rated = page.getByLabel('Rated by');
    assert.equal(await rated.locator('option:checked').textContent(), 'Rules only (no model)');
    const stored = async () => (await api('GET', 'admin/ai-settings')).sentiment_model;
    await rated.selectOption(priced);
    await page.getByText(/a thousand messages cost about \$/).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
    assert.equal(await stored(), priced);
    await accessible(page, 'who rates');
    await page.reload();
    assert.equal(await rated.inputValue(), priced);
    await rated.selectOption('');
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
    assert.equal(await stored(), null);
    await api('PUT', 'admin/ai-settings', { enabled_models: [] });
    await close(page);
  },
);

test('ADM-5: a split of two models begins and ends', options, async () => {
  await api('PUT', 'admin/ai-settings', {
    enabled_models: [{ model_id: 'builtin', is_default: true }],
  });
  const page = await open(browser, '/models?tab=split', { as: 'side' });
  await page.getByLabel('Name').fill('spring');
  await page.getByLabel('Conversations in arm B').fill('30');
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('alert').getByText('Each side needs a model.').waitFor();
  await page.getByLabel('A: fast').selectOption('builtin');
  await page.getByLabel('B: fast').selectOption('builtin');
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('button', { name: 'End the test' }).click();
  assert.equal((await api('GET', 'admin/ai-settings')).ab_split.percent, 30);
  await page.getByRole('dialog').getByRole('button', { name: 'End the test' }).click();
  await page.getByRole('button', { name: 'Begin' }).waitFor();
  assert.equal((await api('GET', 'admin/ai-settings')).ab_split, null);
  await api('PUT', 'admin/ai-settings', { enabled_models: [] });
  await close(page);
});

test(
  'ADM-5: a budget is set, what is left is shown, and the webhook tells its secret once',
  options,
  async () => {
    await api('PUT', 'admin/budget', { monthly_budget_usd: null, alert_webhook_url: null });
    const page = await open(browser, '/budget', { as: 'side' });
    await page.locator('form').getByLabel('Month', { exact: true }).fill('25');
    await page.getByLabel('Webhook for alerts').fill('ftp://alerts.shop.example/in');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.field.wrong').getByText('http or https').waitFor();
    await page.getByLabel('Webhook for alerts').fill('https://alerts.shop.example/in');
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Secret of the webhook' });
    await dialog.locator('code').waitFor();
    await accessible(page, 'the secret');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText('of $25.00').first().waitFor();
    assert.equal((await api('GET', 'admin/budget')).monthly_budget_usd, 25);
    await shoot(page, 'budget');
    await api('PUT', 'admin/budget', { monthly_budget_usd: null, alert_webhook_url: null });
    await close(page);
  },
);

test('ADM-5: staff see all of it and change nothing', options, async () => {
  const page = await open(browser, '/models', { as: 'sideStaff' });
  await page.getByRole('switch').first().waitFor();
  assert.equal(await page.getByRole('switch').first().isDisabled(), true);
  await page.goto(`${url}/dashboard/budget`);
  await heading(page, 'Budget').waitFor();
  await page.getByText('Usage', { exact: true }).waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Limits' }).count(), 0);
  await close(page);
});

test(
  'ADM-5: dark, hebrew, narrow: axe finds nothing, nothing is wider than the window',
  options,
  () =>
    walkInTheDark(browser, 'side', [
      '/models',
      '/models?tab=answering',
      '/models?tab=split',
      '/models?tab=own',
      '/budget',
    ]),
);
