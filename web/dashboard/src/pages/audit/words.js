import { may } from '../../api/session.js';
import { dateTime, milliseconds, money, number } from '../../format.js';
import { has, t, word } from '../../i18n.js';

/* How the audit log calls things: by the words of the pages where they are set. */

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** A thing "tools/order_status" is of a kind and has an id; the budget has none. */
export function idOf(thing) {
  const at = thing?.indexOf('/') ?? -1;
  return at < 0 ? null : thing.slice(at + 1);
}

const nameIn = (value) =>
  value?.name || value?.title || value?.shortcut || value?.channel || value?.email;

/** As it was called then, or is now, or else the beginning of its id. */
export function nameOf({ kind, thing, thing_name: now, before, after }) {
  const then = kind !== 'members' && kind !== 'sessions' && (nameIn(before) || nameIn(after));
  const id = idOf(thing);
  return then || now || (id && UUID.test(id) ? id.slice(0, 8) : id);
}

/* -- where it is ---------------------------------------------------------------------------- */

const PAGES = {
  'ai-settings': '/models?tab=answering',
  approvals: '/tools?tab=approvals',
  articles: (slug) => `/knowledge/${encodeURIComponent(slug)}`,
  branding: '/branding',
  budget: '/budget',
  'business-info': '/settings?tab=business',
  'canned-replies': '/settings?tab=replies',
  channels: '/channels',
  conversations: (id) => `/conversations/${id}`,
  embedding: '/models?tab=own',
  'identity-secrets': '/settings?tab=identity',
  integrations: (id) => `/integrations/${id}`,
  keys: '/keys',
  members: '/users?tab=teams',
  models: '/models',
  organization: '/settings',
  organizations: '/organizations',
  plan: '/settings',
  provider: '/models?tab=own',
  retention: '/settings?tab=retention',
  sessions: '/users',
  teams: '/users?tab=teams',
  'test-cases': '/test?tab=cases',
  'test-chat': '/test',
  'test-runs': '/test?tab=runs',
  tools: (name) => `/tools/${encodeURIComponent(name)}`,
  users: '/users',
  visitors: '/settings?tab=visitors',
};

/** The page of the thing; undefined where it has none, or is gone. */
export function pageOf({ kind, thing, thing_name: now }) {
  const page = PAGES[kind];
  const id = idOf(thing);
  if ((id && now === null) || (kind === 'organizations' && !may('superadmin'))) return undefined;
  return typeof page === 'function' ? id && page(id) : page;
}

/* -- how its fields are called, and what is in them ----------------------------------------- */

/** Where the texts of a kind's form are, as far as they are called like its fields. */
const FORMS = {
  'ai-settings': ['models.settings'],
  articles: ['knowledge'],
  branding: ['branding', 'branding.feature'],
  budget: ['budget.caps'],
  'business-info': ['settings.info'],
  'canned-replies': ['settings'],
  channels: ['channelsPage'],
  embedding: ['models.servers', 'models'],
  endpoints: ['integrations', 'tools'],
  integrations: ['integrations'],
  keys: ['keys'],
  members: ['users'],
  organization: ['settings', 'organizations'],
  organizations: ['organizations'],
  provider: ['models.servers', 'models'],
  retention: ['settings.days'],
  teams: ['users'],
  'test-cases': ['test'],
  tools: ['tools'],
  users: ['users'],
};

/** And those that are not. */
const OTHERWISE = {
  enabled: 'models.enabled',
  name: 'users.name',
  status: 'keys.status',
  email: 'users.email',
  parameters_schema: 'tools.schema',
  signing_secret: 'tools.secret',
  alert_webhook_url: 'budget.caps.webhook',
  alert_webhook_secret: 'budget.caps.secret',
  outbound_url: 'channelsPage.address',
  primary_color: 'branding.color',
  logo_url: 'branding.logo',
  suggested_questions: 'branding.questions',
  model_id: 'models.model',
  body: 'knowledge.text',
  title: 'knowledge.articleTitle',
  expires_at: 'keys.states.expiring',
};

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** A field by the name that its form has for it; undefined where it has none. */
export function fieldName(kind, path) {
  const [first, ...rest] = path.split('.');
  const names = [first, camel(first), first.replace(/_(ms|usd|s)$/, '')];
  const keys = (FORMS[kind] ?? []).flatMap((form) => names.map((name) => `${form}.${name}`));
  const key = [...keys, OTHERWISE[first]].find((one) => one && has(one));
  if (rest.length && has(`branding.feature.${rest[0]}`)) return t(`branding.feature.${rest[0]}`);
  if (!key) return undefined;
  return rest.length ? `${t(key)} (${word('languages', rest.join('.'))})` : t(key);
}

/** Fields whose values are words of ours. */
const WORDS = {
  role: 'roles',
  risk: 'tools.risks',
  reply: 'tools.replies',
  plan: 'organizations.plans',
  scope: 'keys.scopes',
  kind: 'keys.kinds',
  language: 'languages',
  theme: 'branding.themes',
  routing: 'models.settings.routings',
  type: 'integrations.types',
  auth: 'integrations.auths',
  status: 'organizations.states',
};

/** A value as a text; null: there is none. */
export function valueText(path, value) {
  const name = path.split('.').at(-1);
  if (value === undefined || value === null || value === '') return null;
  if (value === '***') return t('audit.secret');
  if (typeof value === 'boolean') return t(value ? 'common.yes' : 'common.no');
  if (typeof value === 'number') {
    if (name.endsWith('_usd')) return money(value);
    return name.endsWith('_ms') ? milliseconds(value) : number(value);
  }
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object'))
    return value.join('\n') || null;
  if (typeof value === 'object') return JSON.stringify(value, null, 2);
  if (TIME.test(value)) return dateTime(value);
  return word(WORDS[name] ?? '', value);
}
