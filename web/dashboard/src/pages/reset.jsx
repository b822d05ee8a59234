import { useLayoutEffect, useState } from 'preact/hooks';
import { post } from '../api/http.js';
import { t } from '../i18n.js';
import { href } from '../router.js';
import { LinkButton } from '../ui/button.jsx';
import { Form } from '../ui/form.jsx';
import { Notice } from '../ui/page.jsx';
import { Gate } from './gate.jsx';

/**
 * A new password, with a token that an administrator or the command line made. The token comes
 * behind the # of a link, which no server and no log ever sees, and is out of the address and the
 * history as soon as it is read.
 */
export function ResetPage() {
  const [done, setDone] = useState(false);
  const [token, setToken] = useState('');
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  useLayoutEffect(() => {
    if (!given) return;
    setToken(given);
    history.replaceState(null, '', href('/reset'));
  }, [given]);
  if (done) {
    return (
      <Gate title={t('reset.title')}>
        <Notice tone="good">{t('reset.done')}</Notice>
        <LinkButton kind="strong" href={href('/')}>
          {t('signIn.submit')}
        </LinkButton>
      </Gate>
    );
  }
  const fields = [
    { name: 'token', label: t('reset.token'), required: true, dir: 'ltr', autocomplete: 'off' },
    {
      name: 'password',
      type: 'password',
      label: t('reset.password'),
      hint: t('setup.passwordHint'),
      required: true,
      autocomplete: 'new-password',
    },
  ];
  const submit = async (values) => {
    await post('auth/reset', values);
    setDone(true);
  };
  return (
    <Gate title={t('reset.title')} about={t('reset.about')}>
      <Form
        fields={fields}
        value={{ token }}
        onSubmit={submit}
        submit={t('reset.submit')}
        guard={false}
      />
      <a href={href('/')}>{t('reset.back')}</a>
    </Gate>
  );
}
