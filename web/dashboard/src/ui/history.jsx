import { may } from '../api/session.js';
import { t } from '../i18n.js';
import { href } from '../router.js';
import { LinkButton } from './button.jsx';

/** Where the audit log tells of one thing: `tools/order_status`, `budget`. */
export const historyOf = (thing) => href(`/audit?thing=${encodeURIComponent(thing)}`);

/** A link to what was done to it, for whom the log is. */
export function History({ of: thing }) {
  if (!may('admin')) return null;
  return (
    <LinkButton icon="clock" href={historyOf(thing)}>
      {t('audit.history')}
    </LinkButton>
  );
}

/** The same as a choice of a menu. */
export const historyChoice = (thing) => ({
  label: t('audit.history'),
  icon: 'clock',
  href: historyOf(thing),
});
