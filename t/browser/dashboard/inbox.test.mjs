// ENG-14 from both sides: a visitor in the widget, operators in the dashboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, settled, visit } from '../harness.mjs';
import { accessible, api, close, open, options, people, shoot, start, url } from './harness.mjs';

const slow = { ...options, timeout: 240000 };

let browser;
before(async () => {
  browser = await start();
  if (!browser) return;
  await api('PUT', 'admin/branding', { features: { handoff: true } });
  const { users } = await api('GET', 'admin/users?limit=200');
  for (const [who, name] of [
    ['staff', 'Noa'],
    ['other', 'Omer'],
  ]) {
    const { id } = users.find(({ email }) => email === people[who].email);
    await api('PATCH', `admin/users/${id}`, { name });
  }
  const { canned_replies: replies } = await api('GET', 'admin/canned-replies');
  if (replies.some(({ shortcut }) => shortcut === 'hello')) return;
  await api('POST', 'admin/canned-replies', {
    shortcut: 'hello',
    text: 'Hello {visitor}, this is {operator} of {organization}.',
  });
});
after(() => browser?.close());

/** A visitor who has asked something and then for a person, by a name of their own. */
async function visitor(words) {
  const page = await visit({ browser, mock: { url } }, '/demo/', {
    viewport: { width: 1100, height: 760 },
  });
  page.setDefaultTimeout(40000);
  await ask(page, words);
  await settled(page);
  await page.getByRole('button', { name: 'Talk to a person' }).click();
  await page.getByLabel('What is it about?').fill(`About ${words}`);
  await page.locator('.sheet .strong').click();
  await page.locator('.sheet').waitFor({ state: 'detached' });
  return page;
}

const queued = (page, words) => page.locator('.queue-row').filter({ hasText: words });
const said = (page, words) => page.locator('.transcript').getByText(words, { exact: true });

async function answer(page, text) {
  await page.getByLabel('Your answer').fill(text);
  await page.keyboard.press('Enter');
  await said(page, text).waitFor();
}

test(
  'ENG-14: a visitor asks for a person, an operator joins, both talk, the AI goes on',
  slow,
  async () => {
    const words = `a lamp that broke ${Date.now()}`;
    const operator = await open(browser, '/inbox', { as: 'staff' });
    await operator
      .locator('.queue-row')
      .or(operator.getByText('Nobody is waiting'))
      .first()
      .waitFor();
    const page = await visitor(words);
    await queued(operator, words).click(); // it came by itself
    await operator.getByText('The visitor waits for a person').waitFor();
    await operator.getByText(`About ${words}`).first().waitFor();
    await accessible(operator, 'waiting');
    await operator.getByRole('button', { name: 'Join' }).click();
    await answer(operator, 'I will send you another lamp.');
    await page.locator('.turns').getByText('I will send you another lamp.').waitFor();

    await page.locator('.input').fill('Thank');
    await operator.getByText('Visitor is typing…').waitFor();
    await ask(page, 'Thank you so much!');
    await said(operator, 'Thank you so much!').waitFor();
    await queued(operator, 'Thank you so much!').waitFor();
    await accessible(operator, 'takeover');
    await shoot(operator, 'takeover');
    await shoot(page, 'takeover-widget');
    assert.equal(await operator.locator('.message.ai').count(), 1, 'the AI was silent');

    await operator.getByRole('button', { name: 'Hand back to the AI' }).click();
    await operator.getByText('The AI is answering').waitFor();
    await queued(operator, words).waitFor({ state: 'detached' });
    await page.locator('.sheet').waitFor(); // how was it?
    await page.keyboard.press('Escape');
    await ask(page, 'How long does shipping take?');
    await settled(page);
    await said(operator, 'How long does shipping take?').waitFor();
    await close(operator);
    await page.context().close();
  },
);

test(
  'ENG-14: of two operators one answers, the other sees it and takes over only knowingly',
  slow,
  async () => {
    const words = `two operators ${Date.now()}`;
    const page = await visitor(words);
    const first = await open(browser, '/inbox', { as: 'staff' });
    await queued(first, words).click();
    await first.getByRole('button', { name: 'Join' }).click();
    await answer(first, 'I am the first.');

    const second = await open(browser, '/inbox', { as: 'other' });
    await queued(second, words).click();
    await second.locator('.join').getByText('Noa is in this conversation').waitFor();
    assert.equal(await second.getByLabel('Your answer').count(), 0);
    await first.locator('.notice').getByText('Omer is looking at this').waitFor();

    await first.getByLabel('Your answer').fill('half a sentence');
    await second.getByRole('button', { name: 'Take over' }).click();
    await second.getByRole('dialog').getByText('Take over from').waitFor();
    await second.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
    await second.getByLabel('Your answer').waitFor();
    await first.locator('.join').getByText('Omer is in this conversation').waitFor();
    assert.equal(await first.getByLabel('Your answer').count(), 0, 'no answer unawares');
    await answer(second, 'I am the second.');
    await said(first, 'I am the second.').waitFor();
    await page.locator('.turns').getByText('I am the second.').waitFor();

    await second.getByRole('button', { name: 'Resolve' }).click();
    await second.getByText('This conversation is over.').waitFor();
    await close(first);
    await close(second);
    await page.context().close();
  },
);

test(
  'ENG-14: canned replies by a slash, filled in; drafts wait for their conversation',
  slow,
  async () => {
    const words = `canned ${Date.now()}`;
    const page = await visitor(words);
    const operator = await open(browser, '/inbox', { as: 'staff' });
    await queued(operator, words).click();
    await operator.getByRole('button', { name: 'Join' }).click();
    const input = operator.getByLabel('Your answer');
    await input.fill('/hel');
    await operator.getByRole('option', { name: /\/hello/ }).waitFor();
    await accessible(operator, 'canned replies');
    await input.press('Enter');
    assert.match(await input.inputValue(), /^Hello.*, this is Noa of Demo Shop\.$/);
    await input.press('End');
    await input.pressSequentially(' One moment.');
    await operator.getByRole('link', { name: 'Conversations', exact: true }).click();
    await operator.goBack();
    assert.match(await input.inputValue(), /One moment\.$/);
    await operator.reload(); // also for a newer version
    assert.match(await input.inputValue(), /One moment\.$/);
    await input.press('Enter');
    await page
      .locator('.turns')
      .getByText(/One moment\.$/)
      .waitFor();
    assert.equal(await input.inputValue(), '');
    await close(operator);
    await page.context().close();
  },
);

test(
  'ENG-14: what could not be sent stays, says so, and is sent once when it is tried again',
  slow,
  async () => {
    const words = `offline ${Date.now()}`;
    const page = await visitor(words);
    const operator = await open(browser, '/inbox', { as: 'staff' });
    await queued(operator, words).click();
    await operator.getByRole('button', { name: 'Join' }).click();
    await operator.getByLabel('Your answer').waitFor();
    await operator.route('**/reply', (route) => route.abort());
    await operator.getByLabel('Your answer').fill('Can you hear me?');
    await operator.keyboard.press('Enter');
    await operator.getByText('Not sent.').waitFor();
    await operator.unroute('**/reply');
    await operator.locator('.message').getByRole('button', { name: 'Try again' }).click();
    await operator.getByText('Not sent.').waitFor({ state: 'detached' });
    await page.locator('.turns').getByText('Can you hear me?').waitFor();
    assert.equal(await said(operator, 'Can you hear me?').count(), 1);
    await close(operator);
    await page.context().close();
  },
);

test(
  'ENG-14: a conversation is given to a team, and the inbox is looked at by team',
  slow,
  async () => {
    const words = `for a team ${Date.now()}`;
    const name = `Team ${Date.now()}`;
    const team = await api('POST', 'admin/teams', { name });
    const page = await visitor(words);
    const operator = await open(browser, '/inbox', { as: 'staff' });
    const shown = operator.locator('.queue select');
    await queued(operator, words).click();
    await operator.locator('.thread-aside select').selectOption(name);
    await shown.selectOption('No team');
    await queued(operator, words).waitFor({ state: 'detached' });
    await shown.selectOption(name);
    await queued(operator, words).waitFor();
    assert.equal(new URL(operator.url()).searchParams.get('team'), team.id);
    await operator.locator('.thread-aside select').selectOption('No team');
    await queued(operator, words).waitFor({ state: 'detached' }); // at once, by the event
    await accessible(operator, 'an inbox by team');
    await api('DELETE', `admin/teams/${team.id}`);
    await close(operator);
    await page.context().close();
  },
);
