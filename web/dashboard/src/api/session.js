import { computed, signal } from '@preact/signals';
import { mayLeave, reload } from '../router.js';
import { recall, remember } from '../storage.js';
import { limitIdle } from './attendance.js';
import { expectOrganization, get, onRequest, onSessionEnd, post } from './http.js';

const ROLES = ['client', 'staff', 'admin', 'owner', 'superadmin'];

/** Who is signed in, as auth/me says; null: nobody; undefined: not known yet. */
export const session = signal(undefined);
/** Nobody has an account yet: the first one is made in the browser. */
export const needsSetup = signal(false);
/** Who forgot the password can have a link mailed. */
export const mailsLinks = signal(false);
/** The session has ended under somebody who works: the sign-in is asked for in place. */
export const hasEnded = signal(false);
/** Where the session acts now, by another tab, while this page is of another organization. */
export const elsewhere = signal(null);

export const role = computed(() => session.value?.role ?? 'client');

/** How visitors and colleagues read who is signed in. */
export const ownName = () => session.value.speaks_as;

export function may(least) {
  return ROLES.indexOf(role.value) >= ROLES.indexOf(least);
}

let waiting = []; // requests, until the session lives, and is where this page is
let owner; // whose page this is: a person, in an organisation
let latest; // whose session it is, as far as this tab was told
let isGoing = false;

const ownerOf = ({ user, organization }) => `${user.id} ${organization.id}`;
const personOf = (one) => one.split(' ')[0];
const organizationOf = (one) => one.split(' ')[1];

/** Nothing of a former person or organisation stays on the screen, or is done where they are not. */
function beginAnew(to) {
  if (isGoing) return;
  isGoing = true;
  if (to) location.assign(to);
  else reload();
}

/** Tabs share the cookie, and what they know of it. */
const now = () => recall('signed-in') ?? latest;
const isOurs = () => !isGoing && (!owner || now() === owner);

/**
 * Another tab may have signed in as somebody else, who finds nothing here, or gone elsewhere: then
 * what is typed here stays, and its person decides where to be.
 */
function check() {
  if (isGoing) return;
  if (isOurs()) {
    elsewhere.value = null;
    goOn();
  } else if (personOf(now()) !== personOf(owner)) {
    beginAnew();
  } else if (!elsewhere.peek()) {
    look().catch(() => (elsewhere.value = {}));
  }
}

const wait = () => new Promise((resolve) => waiting.push(resolve));

function goOn() {
  if (hasEnded.peek() || !isOurs()) return;
  for (const resume of waiting) resume(true);
  waiting = [];
}

onRequest(() => (check(), isOurs() || wait()), look);
for (const type of ['storage', 'pageshow']) addEventListener(type, check);

onSessionEnd(() => {
  if (!session.peek()) return false; // nobody has signed in on this page
  hasEnded.value = true;
  readEntrance().catch(() => {}); // a link less
  return wait();
});

const ask = (path) => get(path, {}, { anywhere: true });

/** What whoever is not signed in is offered. */
async function readEntrance() {
  const { open, reset_mail: mails } = await ask('auth/setup');
  needsSetup.value = open;
  mailsLinks.value = mails;
}

export async function findSession() {
  try {
    await takeSession();
  } catch (error) {
    if (error.status !== 401) throw error;
    await readEntrance();
    session.value = null;
  }
}

async function takeSession() {
  const me = await ask('auth/me');
  limitIdle(me.idle_s);
  if (belongsTo(me)) session.value = me;
}

/** Finds out whose the session is, and where. */
async function look() {
  belongsTo(await ask('auth/me'));
}

/** Whether the page goes on with this session. */
function belongsTo(me) {
  latest = ownerOf(me);
  remember('signed-in', latest);
  owner ??= latest;
  expectOrganization(organizationOf(owner));
  if (personOf(latest) === personOf(owner)) elsewhere.value = isOurs() ? null : me.organization;
  check();
  return isOurs();
}

const act = (organization) =>
  post('auth/organization', { organization_id: organization }, { anywhere: true });

/** Who signs in begins at home: to where the page was, if it is still theirs to be there. */
async function returnFrom(answer) {
  const isAway =
    owner && personOf(ownerOf(answer)) === personOf(owner) && ownerOf(answer) !== owner;
  return isAway ? act(organizationOf(owner)).catch(() => answer) : answer;
}

/** After login, set-up or a change of place: everything that waited goes on. */
async function signedIn(answer) {
  const isHere = belongsTo(await returnFrom(answer));
  if (isGoing) return;
  hasEnded.value = false;
  if (!isHere) return;
  await takeSession();
  needsSetup.value = false;
  goOn();
}

export async function signIn(values) {
  await signedIn(await post('auth/login', values, { anywhere: true }));
}

export async function setUp(values) {
  await signedIn(await post('auth/setup', values, { anywhere: true }));
}

export async function signOut() {
  if (!(await mayLeave())) return;
  await post('auth/logout').catch(() => {}); // it may be over already
  beginAnew('/dashboard/');
}

/** Everything on the screen is of the organisation or team that was: begin anew, at `to`. */
export async function actIn(organization, to = '/dashboard/') {
  if (!(await mayLeave())) return;
  const answer = await post('auth/organization', { organization_id: organization });
  remember('signed-in', ownerOf(answer));
  beginAnew(to);
}

/** From elsewhere: the session comes back to where this page is, and what waited goes on. */
export async function comeBack() {
  await signedIn(await act(organizationOf(owner)));
}

/** The page goes where the session is. */
export const goAlong = () => beginAnew();

export async function chooseTeam(team) {
  await post('auth/team', { team_id: team });
  await takeSession();
}
