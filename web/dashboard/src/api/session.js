import { computed, signal } from '@preact/signals';
import { mayLeave, reload } from '../router.js';
import { recall, remember } from '../storage.js';
import { get, onRequest, onSessionEnd, post } from './http.js';

const ROLES = ['client', 'staff', 'admin', 'owner', 'superadmin'];

/** Who is signed in, as auth/me says; null: nobody; undefined: not known yet. */
export const session = signal(undefined);
/** Nobody has an account yet: the first one is made in the browser. */
export const needsSetup = signal(false);
/** The session has ended under somebody who works: the sign-in is asked for in place. */
export const hasEnded = signal(false);

export const role = computed(() => session.value?.role ?? 'client');

/** How visitors and colleagues read who is signed in. */
export const ownName = () => session.value.user.name || session.value.organization.name;

export function may(least) {
  return ROLES.indexOf(role.value) >= ROLES.indexOf(least);
}

let waiting = [];
let owner; // whose page this is: a person, in an organisation
let isGoing = false;

const ownerOf = ({ user, organization }) => `${user.id} ${organization.id}`;

/** Nothing of a former person or organisation stays on the screen, or is done where they are not. */
function beginAnew(to) {
  if (isGoing) return;
  isGoing = true;
  if (to) location.assign(to);
  else reload();
}

/** Tabs share the cookie: another one may have signed in as somebody else, or gone elsewhere. */
function isOurs() {
  const now = recall('signed-in');
  if (owner && now && now !== owner) beginAnew();
  return !isGoing;
}

onRequest(isOurs);
for (const type of ['storage', 'pageshow']) addEventListener(type, isOurs);

onSessionEnd(() => {
  if (!session.peek()) return false; // nobody has signed in on this page
  hasEnded.value = true;
  return new Promise((resolve) => waiting.push(resolve));
});

export async function findSession() {
  try {
    await takeSession();
  } catch (error) {
    if (error.status !== 401) throw error;
    needsSetup.value = (await get('auth/setup')).open;
    session.value = null;
  }
}

async function takeSession() {
  const me = await get('auth/me');
  if (belongsTo(me)) session.value = me;
}

/** Whether the page goes on with this session; that of another owner begins anew. */
function belongsTo(me) {
  remember('signed-in', ownerOf(me));
  owner ??= ownerOf(me);
  return isOurs();
}

/** After login, set-up or renewal with other claims: everything that waited goes on. */
async function signedIn(answer) {
  if (!belongsTo(answer)) return;
  await takeSession();
  needsSetup.value = false;
  hasEnded.value = false;
  for (const resume of waiting) resume(true);
  waiting = [];
}

export async function signIn(values) {
  await signedIn(await post('auth/login', values));
}

export async function setUp(values) {
  await signedIn(await post('auth/setup', values));
}

export async function signOut() {
  if (!(await mayLeave())) return;
  await post('auth/logout').catch(() => {}); // it may be over already
  beginAnew('/dashboard/');
}

/** Everything on the screen is of the organisation or team that was: begin anew. */
export async function actIn(organization) {
  if (!(await mayLeave())) return;
  remember(
    'signed-in',
    ownerOf(await post('auth/organization', { organization_id: organization })),
  );
  beginAnew('/dashboard/');
}

export async function chooseTeam(team) {
  await post('auth/team', { team_id: team });
  await takeSession();
}
