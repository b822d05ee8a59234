import { t } from '../../i18n.js';

/** What each kind of system wants to be signed in with (docs/integrations.md). */
export const CREDENTIALS = {
  shopify: { '': ['access_token'] },
  woocommerce: { '': ['consumer_key', 'consumer_secret'] },
  custom_api: {
    none: [],
    api_key: ['api_key'],
    bearer: ['token'],
    basic: ['username', 'password'],
    oauth2: ['client_id', 'client_secret'],
  },
  database: { '': ['username', 'password'] },
};
export const TYPES = Object.keys(CREDENTIALS);

export const credentialNames = ({ type, auth }) =>
  CREDENTIALS[type]?.[type === 'custom_api' ? auth : ''] ?? [];

const OPEN = ['username', 'client_id'];

export const credentialFields = (now) =>
  credentialNames(now).map((name) => ({
    name: `credentials.${name}`,
    label: t(`integrations.credentials.${name}`),
    type: OPEN.includes(name) ? 'text' : 'password',
    dir: 'ltr',
    autocomplete: 'off',
  }));

/** Those that were typed; undefined: none, so that what is stored stays. */
export function forCredentials(now) {
  const typed = credentialNames(now).flatMap((name) =>
    now.credentials?.[name] ? [[name, now.credentials[name]]] : [],
  );
  return typed.length ? Object.fromEntries(typed) : undefined;
}
