import { useEffect, useState } from 'preact/hooks';
import { findSession, hasEnded, needsSetup, session } from './api/session.js';
import { t } from './i18n.js';
import { place } from './router.js';
import { ResetPage } from './pages/reset.jsx';
import { SetupPage } from './pages/setup.jsx';
import { SignInAgain, SignInPage } from './pages/sign-in.jsx';
import { Shell } from './shell/shell.jsx';
import { Spinner } from './ui/button.jsx';
import { Confirmations } from './ui/dialog.jsx';
import { Fault } from './ui/page.jsx';
import { Toasts } from './ui/toast.jsx';

/** Who asks decides what is shown: set-up, sign-in, or the pages. */
export function App() {
  return (
    <>
      <Face />
      {hasEnded.value && <SignInAgain />}
      <Confirmations />
      <Toasts />
    </>
  );
}

function Face() {
  const [problem, setProblem] = useState();
  const look = () => findSession().then(() => setProblem(), setProblem);
  useEffect(() => {
    if (session.peek() === undefined) look();
  }, []);
  if (place.value.path === '/reset') return <ResetPage />;
  if (problem) {
    return (
      <main class="gate">
        <Fault problem={problem} retry={look} />
      </main>
    );
  }
  if (session.value === undefined) {
    return (
      <main class="gate">
        <Spinner label={t('common.loading')} />
      </main>
    );
  }
  if (needsSetup.value) return <SetupPage />;
  return session.value ? <Shell /> : <SignInPage />;
}
