import { t, word } from '../i18n.js';
import { Badge } from '../ui/badge.jsx';

const TONES = { waiting_human: 'warn', human: 'accent', active: 'good' };

/** Where a conversation stands. */
export function Status({ name }) {
  return (
    <Badge tone={TONES[name]} dot>
      {word('status', name)}
    </Badge>
  );
}

/** Who it is with, as far as it is known, and what it is about. */
export function Visitor({ of }) {
  const { title, contact, verified_email: email, user_identifier: user } = of;
  const who = of.verified_name || contact?.name || email || user || contact?.email;
  return (
    <bdi class="visitor" dir="auto">
      {title || who || t('conversations.anonymous')}
    </bdi>
  );
}
