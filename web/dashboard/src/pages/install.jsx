import { useState } from 'preact/hooks';
import { useData } from '../api/data.js';
import { post } from '../api/http.js';
import { may } from '../api/session.js';
import { ago } from '../format.js';
import { t } from '../i18n.js';
import { href } from '../router.js';
import { Badge } from '../ui/badge.jsx';
import { Button, LinkButton } from '../ui/button.jsx';
import { Snippet } from '../ui/code.jsx';
import { Field } from '../ui/field.jsx';
import { Form } from '../ui/form.jsx';
import { Card, Empty, Loaded, Notice, Page } from '../ui/page.jsx';

/** The line to paste, and whether it was seen where it belongs. */
export default function Install() {
  const found = useData('installation');
  return (
    <Page title={t('install.title')} about={t('install.about')}>
      <Loaded of={found}>
        {(installation) => (
          <>
            <Paste of={installation} reload={found.reload} />
            <Problems list={installation.problems} />
            <Seen list={installation.seen} reload={found.reload} loading={found.loading} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** Where the server does not know its public address, it is the one that this page came from. */
const here = (snippet) => snippet?.replace('https://HOST', location.origin);

/**
 * Keys are kept as hashes, so the line has only the end of one that is there: whoever has kept it
 * puts it in, and whoever has not makes another here, with the line whole, this once.
 */
function Paste({ of: { snippet, key }, reload }) {
  const [kept, setKept] = useState('');
  const [made, setMade] = useState(null);
  const known = made ?? (key && ends(kept, key.last4) ? kept.trim() : null);
  const line = known ? here(snippet)?.replace(/fd_pk_[^"]*/, known) : here(snippet);
  const show = (text) => {
    setMade(text);
    reload(); // the first one of all has brought the line
  };
  return (
    <Card title={t('install.paste')} about={t('install.pasteAbout')}>
      {(key || made) && (
        <Snippet label={t('install.paste')} text={line ?? made} wrap partial={!known} />
      )}
      {made && <Notice tone="warn">{t('keys.once')}</Notice>}
      {key && !made && <KeptKey of={key} value={kept} onChange={setKept} />}
      {key && !key.origins.length && !made && (
        <Notice
          tone="warn"
          actions={
            <LinkButton small href={href('/keys')}>
              {t('install.toKeys')}
            </LinkButton>
          }
        >
          {t('install.noOrigins')}
        </Notice>
      )}
      {may('admin') && !made && (
        <MakeKey onMade={show} isFirst={!key} open={!key?.origins.length} />
      )}
    </Card>
  );
}

const ends = (text, last4) => /^fd_pk_\w{20,}$/.test(text.trim()) && text.trim().endsWith(last4);

/** It stays on this page: nothing is sent. */
function KeptKey({ of: { last4, origins }, value, onChange }) {
  const field = {
    name: 'kept',
    label: t('install.kept'),
    hint: t('install.masked', { last4 }),
    placeholder: `fd_pk_…${last4}`,
    autocomplete: 'off',
    dir: 'ltr',
  };
  const error = value && !ends(value, last4) ? t('install.notThis', { last4 }) : undefined;
  return (
    <>
      <Field field={field} value={value} error={error} onChange={onChange} />
      {origins.length > 0 && (
        <p class="about">
          {t('install.origins')} <bdi dir="ltr">{origins.join(', ')}</bdi>
        </p>
      )}
    </>
  );
}

function MakeKey({ onMade, isFirst, open }) {
  const fields = [
    {
      name: 'origins',
      type: 'lines',
      rows: 2,
      label: t('install.site'),
      hint: t('keys.originsHint'),
      dir: 'ltr',
      placeholder: 'https://shop.example',
      required: true,
    },
  ];
  const make = async ({ origins }) =>
    onMade((await post('keys', { name: t('install.keyName'), kind: 'pk', origins })).key);
  return (
    <details open={open}>
      <summary>{t(isFirst ? 'install.noKey' : 'install.another')}</summary>
      <Form
        guard={false}
        fields={fields}
        value={{ origins: [] }}
        onSubmit={make}
        submit={t('install.make')}
      />
    </details>
  );
}

function Problems({ list }) {
  if (!list.length) return null;
  return (
    <Card title={t('install.problems')} about={t('install.problemsAbout')}>
      {list.map(({ origin, reason, last_seen: last }) => (
        <Notice
          key={origin}
          tone="warn"
          actions={
            reason === 'origin-not-allowed' && (
              <LinkButton small href={href('/keys')}>
                {t('install.toKeys')}
              </LinkButton>
            )
          }
        >
          <p>
            <b>
              <bdi dir="ltr">{origin}</bdi>
            </b>{' '}
            {t(`install.reasons.${reason}`)}
          </p>
          <p class="about">{ago(last)}</p>
        </Notice>
      ))}
    </Card>
  );
}

function Seen({ list, reload, loading }) {
  const check = (
    <Button small icon="refresh" busy={loading} onClick={reload}>
      {t('install.check')}
    </Button>
  );
  return (
    <Card flush title={t('install.seen')} actions={check}>
      {list.length ? (
        <ul class="rows">
          {list.map(({ origin, first_seen: first, last_seen: last, version }) => (
            <li key={origin}>
              <div class="row">
                <span>
                  <bdi dir="ltr">{origin}</bdi>
                  <span class="about">
                    {t('install.since', { time: ago(first) })}{' '}
                    {version && <code dir="ltr">{version}</code>}
                  </span>
                </span>
                <Badge tone="good" dot>
                  {ago(last)}
                </Badge>
              </div>
            </li>
          ))}
        </ul>
      ) : (
        <Empty icon="globe" title={t('install.notSeen')}>
          {t('install.notSeenAbout')}
        </Empty>
      )}
    </Card>
  );
}
