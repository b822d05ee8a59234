import { setUp } from '../api/session.js';
import { t } from '../i18n.js';
import { Snippet } from '../ui/code.jsx';
import { Form } from '../ui/form.jsx';
import { Gate } from './gate.jsx';

/** The first account of all: it owns the first organisation and the platform. */
export function SetupPage() {
  const fields = [
    {
      name: 'token',
      label: t('setup.token'),
      hint: t('setup.tokenHint'),
      required: true,
      dir: 'ltr',
      autocomplete: 'off',
    },
    {
      name: 'organization',
      label: t('setup.organization'),
      required: true,
      autocomplete: 'organization',
    },
    { name: 'name', label: t('setup.name'), autocomplete: 'name' },
    {
      name: 'email',
      type: 'email',
      label: t('signIn.email'),
      required: true,
      autocomplete: 'username',
    },
    {
      name: 'password',
      type: 'password',
      label: t('signIn.password'),
      hint: t('setup.passwordHint'),
      required: true,
      autocomplete: 'new-password',
    },
  ];
  return (
    <Gate title={t('setup.title')} about={t('setup.about')}>
      <Snippet label={t('setup.command')} text="frontdesk user setup-token" />
      <Form fields={fields} onSubmit={setUp} submit={t('setup.submit')} guard={false} />
    </Gate>
  );
}
