import { Component } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../api/problem.js';
import { may } from '../api/session.js';
import { t } from '../i18n.js';
import { match } from '../match.js';
import { href, place, reload } from '../router.js';
import { routes } from '../routes.js';
import { Button, LinkButton } from '../ui/button.jsx';
import { Empty, Fault, Page, Skeleton } from '../ui/page.jsx';
import { isFresh, isOld, lookForNewer } from '../version.js';

/** The page of the address, loaded when it is first wanted. A page exports `Page`-like default. */
export function Outlet() {
  const { path } = place.value;
  const [found, params] = find(path);
  const [pages, setPages] = useState({});
  const [problem, setProblem] = useState(null);
  const load = found?.load;
  const Content = load && pages[found.path];

  const get = () => {
    if (!load || Content) return;
    setProblem(null);
    load().then((file) => setPages((some) => ({ ...some, [found.path]: file.default })), lost);
  };
  const lost = () =>
    lookForNewer()
      .catch(() => false)
      .then((isNewer) => (isNewer && !isFresh() ? reload() : setProblem(new Problem(0))));
  useEffect(get, [load]);
  useEffect(() => {
    document.activeElement?.blur?.();
    scrollTo(0, 0);
  }, [found?.name]);

  if (!load)
    return <Message icon="search" title={t('shell.notFound')} text={t('shell.notFoundText')} />;
  if (!may(found.role))
    return <Message icon="key" title={t('shell.forbidden')} text={t('shell.forbiddenText')} />;
  if (!Content) {
    return (
      <div class="page">
        {problem ? (
          <Fault problem={problem} retry={isOld.value ? reload : get} />
        ) : (
          <Skeleton lines={5} />
        )}
      </div>
    );
  }
  // another thing is another page, with nothing of the former one; the inbox keeps its queue
  return (
    <Boundary key={found.stays ? found.name : path}>
      <Content {...params} />
    </Boundary>
  );
}

function find(path) {
  for (const route of routes) {
    const params = match(route.path, path);
    if (params) return [route, params];
  }
  return [];
}

function Message({ icon, title, text }) {
  return (
    <Page title={title}>
      <Empty
        icon={icon}
        title={text}
        action={<LinkButton href={href('/')}>{t('shell.home')}</LinkButton>}
      />
    </Page>
  );
}

/** A page that breaks does not take the navigation with it. */
class Boundary extends Component {
  state = { error: null };

  componentDidCatch(error) {
    reportError(error);
    this.setState({ error });
  }

  render() {
    if (!this.state.error) return this.props.children;
    return (
      <Page title={t('shell.broken')}>
        <Empty
          icon="alert"
          title={t('shell.brokenText')}
          action={
            <Button onClick={() => this.setState({ error: null })}>{t('common.retry')}</Button>
          }
        />
      </Page>
    );
  }
}
