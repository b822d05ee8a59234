import { createContext } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { said } from '../explain.js';
import { t } from '../i18n.js';
import { Button } from './button.jsx';
import { Icon } from './icon.jsx';

/**
 * Every page: its title (also the window's), a line about it, its actions, its content. The
 * title takes the focus when one comes here, so that a screen reader says where one is.
 */
export function Page({ title, about, actions, back, wide, children }) {
  const heading = useRef();
  useEffect(() => {
    const { activeElement } = document;
    if (!activeElement || activeElement === document.body)
      heading.current.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${title} · Frontdesk`;
  }, [title]);
  return (
    <div class={wide ? 'page wide' : 'page'}>
      <header class="page-head">
        <div>
          {back && (
            <a class="back" href={back.href}>
              <Icon name="left" flips size={14} /> {back.label}
            </a>
          )}
          <h1 ref={heading} tabIndex={-1}>
            <bdi>{title}</bdi>
          </h1>
          {about && <p class="about">{about}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page with a heading of its own. */
export function Card({ title, about, actions, flush, class: name = '', children }) {
  return (
    <section class={`card ${flush ? 'flush' : ''} ${name}`}>
      {(title || actions) && (
        <header class="card-head">
          <div>
            {title && <h2>{title}</h2>}
            {about && <p class="about">{about}</p>}
          </div>
          {actions && <div class="actions">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** What an empty place teaches: what would be here, and how to begin. */
export function Empty({ icon = 'spark', title, children, action }) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <p class="empty-title">{title}</p>
      {children && <p class="about">{children}</p>}
      {action}
    </div>
  );
}

/** Grey lines where something is about to be. */
export function Skeleton({ lines = 3 }) {
  return (
    <div class="skeleton" role="status" aria-label={t('common.loading')}>
      {Array.from({ length: lines }, (_, i) => (
        <i key={i} />
      ))}
    </div>
  );
}

/** What the server refused, in words, with what to quote to support. */
export function Fault({ problem, retry }) {
  if (!problem) return null;
  return (
    <div class="notice bad" role="alert">
      <Icon name="alert" />
      <div>
        <p>{said(problem)}</p>
        {problem.requestId && (
          <p class="about">
            {t('common.request')} <code>{problem.requestId}</code>
          </p>
        )}
      </div>
      {retry && (
        <Button small icon="refresh" onClick={retry}>
          {t('common.retry')}
        </Button>
      )}
    </div>
  );
}

/** tone: 'info', 'good', 'warn', 'bad'. */
export function Notice({ tone = 'info', children, actions }) {
  const icon = { info: 'info', good: 'check', warn: 'alert', bad: 'alert' }[tone];
  return (
    <div class={`notice ${tone}`}>
      <Icon name={icon} />
      <div>{children}</div>
      {actions}
    </div>
  );
}

/** How a form reads what it changes again: reload() of the Loaded around it. */
export const Again = createContext(null);

/** What useData() gave: a skeleton, what went wrong, or children(data). */
export function Loaded({ of, lines, children }) {
  if (of.data === undefined) {
    return of.problem ? (
      <Fault problem={of.problem} retry={of.reload} />
    ) : (
      <Skeleton lines={lines} />
    );
  }
  return (
    <Again.Provider value={of.reload}>
      <Fault problem={of.problem} retry={of.reload} />
      {children(of.data)}
    </Again.Provider>
  );
}
