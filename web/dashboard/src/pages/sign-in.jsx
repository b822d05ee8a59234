import { useState } from 'preact/hooks';
import { mailsLinks, session, signIn, signOut } from '../api/session.js';
import { t } from '../i18n.js';
import { href } from '../router.js';
import { Dialog } from '../ui/dialog.jsx';
import { Form } from '../ui/form.jsx';
import { Gate } from './gate.jsx';

export function SignInPage() {
  return (
    <Gate title={t('signIn.title')} about={t('signIn.about')}>
      <SignInForm />
    </Gate>
  );
}

/** The session is over, the page is not: who signs in again goes on where they were. */
export function SignInAgain() {
  return (
    <Dialog title={t('signIn.again')} size="small">
      <p class="about">{t('signIn.againAbout')}</p>
      <SignInForm email={session.value?.user.email} />
      <button type="button" class="link" onClick={signOut}>
        {t('signIn.other')}
      </button>
    </Dialog>
  );
}

/** Whoever signs in again most likely goes on in the organization of this page. */
function hereFirst({ document: { organizations } }) {
  const here = session.peek()?.organization.id;
  return [...organizations].sort((a, b) => (b.id === here) - (a.id === here));
}

function SignInForm({ email }) {
  const [organizations, setOrganizations] = useState(null);
  const fields = [
    {
      name: 'email',
      type: 'email',
      label: t('signIn.email'),
      required: true,
      autocomplete: 'username',
    },
    { name: 'password', type: 'password', label: t('signIn.password'), required: true },
    organizations && {
      name: 'organization',
      type: 'select',
      label: t('signIn.organization'),
      options: organizations.map(({ id, name }) => ({ value: id, label: name })),
    },
  ];
  const submit = async ({ email: address, password, organization }) => {
    const chosen = organization ?? organizations?.[0].id;
    try {
      await signIn({ email: address, password, ...(chosen && { organization: chosen }) });
    } catch (problem) {
      if (problem.code === 'organization-required') setOrganizations(hereFirst(problem));
      throw problem;
    }
  };
  return (
    <>
      <Form
        fields={fields}
        value={email ? { email } : {}}
        onSubmit={submit}
        submit={t('signIn.submit')}
        guard={false}
      />
      <p class="about">
        {mailsLinks.value ? (
          <a href={href('/forgot')}>{t('forgot.link')}</a>
        ) : (
          <>
            {t('signIn.forgot')} <a href={href('/reset')}>{t('signIn.haveToken')}</a>
          </>
        )}
      </p>
    </>
  );
}
