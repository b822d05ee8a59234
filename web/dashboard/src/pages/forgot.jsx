import { useState } from 'preact/hooks';
import { post } from '../api/http.js';
import { language, t } from '../i18n.js';
import { href } from '../router.js';
import { Form } from '../ui/form.jsx';
import { Notice } from '../ui/page.jsx';
import { Gate } from './gate.jsx';

/** A link to a new password, by mail. Whether there is such an account, nobody is told. */
export function ForgotPage() {
  const [sentTo, setSentTo] = useState('');
  const fields = [
    {
      name: 'email',
      type: 'email',
      label: t('signIn.email'),
      required: true,
      autocomplete: 'username',
    },
  ];
  const submit = async ({ email }) => {
    await post('auth/forgot', { email, language: language.value });
    setSentTo(email);
  };
  return (
    <Gate title={t('forgot.title')} about={t('forgot.about')}>
      {sentTo ? (
        <div role="status">
          <Notice tone="good">{t('forgot.sent', { email: sentTo })}</Notice>
        </div>
      ) : (
        <Form fields={fields} onSubmit={submit} submit={t('forgot.submit')} guard={false} />
      )}
      <p class="about">
        <a href={href('/')}>{t('reset.back')}</a> ·{' '}
        <a href={href('/reset')}>{t('signIn.haveToken')}</a>
      </p>
    </Gate>
  );
}
