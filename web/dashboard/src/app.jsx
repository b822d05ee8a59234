import { useEffect, useState } from 'preact/hooks';
import { elsewhere, findSession, hasEnded, needsSetup, session } from './api/session.js';
import { t } from './i18n.js';
import { place } from './router.js';
import { ForgotPage } from './pages/forgot.jsx';
import { ResetPage } from './pages/reset.jsx';
import { SetupPage } from './pages/setup.jsx';
import { SignInAgain, SignInPage } from './pages/sign-in.jsx';
import { Elsewhere } from './shell/elsewhere.jsx';
import { Shell } from './shell/shell.jsx';
import { Spinner } from './ui/button.jsx';
import { Confirmations } from './ui/dialog.jsx';
import { Fault } from './ui/page.jsx';
import { Toasts } from './ui/toast.jsx';

/** For whom we need not know. */
const doors = { '/reset': ResetPage, '/forgot': ForgotPage };

/** Who asks decides what is shown: set-up, sign-in, or the pages. */
export function App() {
  const Door = doors[place.value.path];
  return (
    <>
      {Door ? <Door /> : <Face />}
      {!Door && <Interruption />}
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

/** What has to be settled before the page goes on. */
function Interruption() {
  if (hasEnded.value) return <SignInAgain />;
  return elsewhere.value && session.value && <Elsewhere />;
}
