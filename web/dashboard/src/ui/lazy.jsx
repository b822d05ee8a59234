import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../api/problem.js';
import { t } from '../i18n.js';
import { isOld, lookForNewer } from '../version.js';
import { Button } from './button.jsx';
import { Fault, Notice, Skeleton } from './page.jsx';

/** A part that is loaded when it is first shown: lazy(() => import('./chart.jsx'), 'Chart'). */
export function lazy(load, name) {
  return function Lazy(props) {
    const [part, setPart] = useState();
    const [problem, setProblem] = useState();
    const get = () => {
      setProblem();
      load().then((file) => setPart(() => file[name]), lost);
    };
    const lost = () => {
      setProblem(new Problem(0));
      lookForNewer().catch(() => {});
    };
    useEffect(get, []);
    const Part = part;
    if (Part) return <Part {...props} />;
    if (!problem) return <Skeleton lines={4} />;
    return isOld.value ? <Newer /> : <Fault problem={problem} retry={get} />;
  };
}

/** Something may be typed beside it, so that this page goes only when it is told to. */
function Newer() {
  const load = (
    <Button small icon="refresh" onClick={() => location.reload()}>
      {t('shell.reload')}
    </Button>
  );
  return <Notice actions={load}>{t('shell.newVersion')}</Notice>;
}
