// ADM-1 in the dashboard: in, out, and a session that ends under somebody who works.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  accessible,
  close,
  heading,
  open,
  options,
  people,
  shoot,
  start,
  url,
} from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

async function fill(page, { email, password }) {
  if (email) await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test(
  'ADM-1: a wrong password is said, a right one opens the page that was asked for',
  options,
  async () => {
    const page = await open(browser, '/conversations');
    await heading(page, 'Sign in').waitFor();
    await accessible(page, 'sign-in');
    await shoot(page, 'sign-in');
    await fill(page, { ...people.staff, password: 'not the right one' });
    await page.getByRole('alert').getByText('do not match').waitFor();
    await fill(page, people.staff);
    await heading(page, 'Conversations').waitFor();
    await page.reload();
    await heading(page, 'Conversations').waitFor();
    await close(page);
  },
);

test(
  'ADM-1: where a browser would not keep the sign-in, the page says why and what to do',
  options,
  async () => {
    const page = await open(browser, '/');
    await heading(page, 'Sign in').waitFor();
    assert.equal(await page.getByText('is not encrypted').count(), 0);
    // as it is over http from another machine
    await page.addInitScript(() =>
      Object.defineProperty(globalThis, 'isSecureContext', { value: false }),
    );
    await page.reload();
    await page.getByText('is not encrypted').waitFor();
    await accessible(page, 'not encrypted');
    await close(page);
  },
);

test(
  'ADM-1: the cookie is not for scripts, and after signing out it is no more',
  options,
  async () => {
    const page = await open(browser, '/', { as: 'staff' });
    await heading(page, 'Overview').waitFor();
    assert.doesNotMatch(await page.evaluate(() => document.cookie), /(^|; )frontdesk=/);
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await heading(page, 'Sign in').waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    await close(page);
  },
);

test(
  'ADM-1: a session that was ended elsewhere: sign in again in place, nothing typed is lost',
  options,
  async () => {
    const page = await open(browser, '/account', { as: 'other' });
    const elsewhere = await open(browser, '/account', { as: 'other' });
    const own = page.getByLabel('Present password', { exact: true });
    await own.fill('this is not my password');
    await page.getByLabel('New password', { exact: true }).fill('quite another password');
    await elsewhere.getByRole('button', { name: 'End all others' }).click();
    await elsewhere.getByText('The session has ended.').waitFor();
    await page.getByRole('button', { name: 'Change the password' }).click();
    const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
    await dialog.waitFor();
    await accessible(page, 'sign-in again');
    await dialog.getByLabel('Password', { exact: true }).fill(people.other.password);
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    // the change went on by itself, and was refused for what it is
    await page.getByText('This is not your present password.').waitFor();
    assert.equal(await own.inputValue(), 'this is not my password');
    assert.equal(await own.getAttribute('aria-invalid'), 'true');
    await close(page);
    await close(elsewhere);
  },
);

test(
  'ADM-1: claims that ran out are renewed once, whichever of the tabs notices',
  options,
  async () => {
    const first = await open(browser, '/account', { as: 'staff' });
    await first.getByText('This one').waitFor();
    const second = await first.context().newPage();
    await second.goto(`${url}/dashboard/account`);
    await second.getByText('This one').waitFor();
    const renewals = [];
    // both ask before either is told: who asks after a renewal has claims that are good
    let asked = 0;
    let bothAsked;
    const both = new Promise((resolve) => (bothAsked = resolve));
    for (const page of [first, second]) {
      page.on(
        'request',
        (request) => request.url().endsWith('/auth/refresh') && renewals.push(request),
      );
      await page.route(
        '**/api/admin/conversations?*',
        async (route) => {
          if (++asked === 2) bothAsked();
          await both;
          await route.fulfill({ status: 401, json: { code: 'sign-in-required' } });
        },
        { times: 1 },
      );
    }
    await Promise.all(
      [first, second].map((page) =>
        page.getByRole('link', { name: 'Conversations', exact: true }).click(),
      ),
    );
    for (const page of [first, second]) {
      await heading(page, 'Conversations').waitFor();
      await page.waitForFunction(() => document.querySelector('main .table, main .empty'));
      assert.equal(await page.getByRole('dialog').count(), 0);
    }
    assert.equal(renewals.length, 1);
    await close(first);
  },
);

test('ADM-1: a page that was left does not keep its session alive by itself', options, async () => {
  const page = await open(browser, '/account', { as: 'staff' });
  await page.route('**/api/admin/auth/me', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), idle_s: 0 } });
  });
  await page.reload();
  await page.getByText('This one').waitFor();
  let renewals = 0;
  page.on('request', (request) => (renewals += request.url().endsWith('/auth/refresh')));
  const expired = { status: 401, json: { code: 'sign-in-required' } };
  await page.route('**/api/admin/conversations?*', (route) => route.fulfill(expired), { times: 1 });
  // asked by the page, not by a hand
  await page.evaluate(() => document.querySelector('nav a[href$="/conversations"]').click());
  await page.getByRole('dialog', { name: 'Please sign in again' }).waitFor();
  assert.equal(renewals, 0);
  await close(page);
});

test(
  'ADM-1: what a role may not see is not offered, and said where it is asked for',
  options,
  async () => {
    const page = await open(browser, '/inbox', { as: 'client' });
    await heading(page, 'Not for your role').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Conversations' }).count(), 0);
    await close(page);
  },
);

test(
  'ADM-1: a token in a link chooses a password, and is in no request but that one',
  options,
  async () => {
    const owner = await open(browser, '/', { as: 'owner' });
    const csrf = (await owner.context().cookies()).find(({ name }) => name.endsWith('-csrf')).value;
    const headers = { 'X-Frontdesk-CSRF': csrf, Origin: url };
    const { users } = await (await owner.request.get(`${url}/api/admin/users`)).json();
    const { id } = users.find(({ email }) => email === people.forgetful.email);
    const answer = await owner.request.post(`${url}/api/admin/users/${id}/reset`, {
      headers,
      data: {},
    });
    const { reset_token: token } = await answer.json();
    await close(owner);

    const page = await open(browser, `/reset#token=${token}`);
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.waitForFunction(() => !location.hash); // nor in the address, once it is read
    assert.equal(await page.getByLabel('Token').inputValue(), token);
    await page.getByLabel('New password').fill('short');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.locator('.field.wrong').getByText(/12/).first().waitFor();
    await page.getByLabel('New password').fill('a password that I keep');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Your password is set').waitFor();
    assert.ok(!asked.some((address) => address.includes(token)));
    await page.getByRole('link', { name: 'Sign in' }).click();
    await fill(page, { email: people.forgetful.email, password: 'a password that I keep' });
    await heading(page, 'Overview').waitFor();
    await close(page);
  },
);

/** The link that was mailed to this address; FRONTDESK_HOOK_JOURNAL has what the webhook was sent. */
async function mailed(email, language) {
  for (;;) {
    const lines = readFileSync(process.env.FRONTDESK_HOOK_JOURNAL, { encoding: 'utf8', flag: 'a+' }).split('\n');
    const mails = lines.slice(0, -1).map((line) => JSON.parse(line).body).filter(Boolean);
    const mail = mails.findLast((one) => one.type === 'password_reset' && one.email === email && one.language === language);
    if (mail) return mail.url;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('ADM-1: who forgot the password asks for a link, and signs in with another', options, async () => {
  const page = await open(browser, '/');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await heading(page, 'A new password').waitFor();
  await accessible(page, 'forgot');
  await page.getByLabel('Email').fill(people.absent.email.toUpperCase());
  await page.getByRole('button', { name: 'Send the link' }).click();
  await page.getByRole('status').getByText('a link is on its way').waitFor();
  await page.goto(await mailed(people.absent.email, 'en'));
  await page.getByLabel('New password').fill('seven small candles');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByText('Your password is set').waitFor();
  await page.getByRole('link', { name: 'Sign in' }).click();
  await fill(page, { email: people.absent.email, password: 'seven small candles' });
  await heading(page, 'Overview').waitFor();
  await close(page);
});

test('ADM-1: in Hebrew, too', options, async () => {
  const page = await open(browser, '/', { language: 'he' });
  await page.getByRole('link', { name: 'שכחת את הסיסמה?' }).click();
  await heading(page, 'סיסמה חדשה').waitFor();
  await page.getByLabel('אימייל').fill(people.absent.email);
  await page.getByRole('button', { name: 'שליחת הקישור' }).click();
  await page.getByRole('status').getByText(people.absent.email).waitFor();
  await accessible(page, 'forgot, Hebrew');
  await shoot(page, 'forgot-hebrew');
  await mailed(people.absent.email, 'he');
  await close(page);
});
