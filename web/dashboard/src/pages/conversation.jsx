import { useState } from 'preact/hooks';
import { useAction, useData } from '../api/data.js';
import { useEvents } from '../api/events.js';
import { get, patch, post, resource, url } from '../api/http.js';
import { may } from '../api/session.js';
import { dateTime, milliseconds, money, number } from '../format.js';
import { t, word } from '../i18n.js';
import { href, navigate } from '../router.js';
import { Button, LinkButton } from '../ui/button.jsx';
import { confirm } from '../ui/dialog.jsx';
import { Menu } from '../ui/menu.jsx';
import { Card, Loaded, Page } from '../ui/page.jsx';
import { toast, toastProblem } from '../ui/toast.jsx';
import { Status } from './conversation-parts.jsx';
import { GoThere, isOne, useElsewhere } from './conversations-elsewhere.jsx';
import { Transcript } from './transcript.jsx';

/** A link to a conversation may say of which organization it is; whoever may go there is asked. */
export default function Conversation({ id }) {
  const elsewhere = useElsewhere();
  const asks = isOne(elsewhere) && may('superadmin');
  return asks ? <GoThere organization={elsewhere} /> : <One id={id} />;
}

/** One conversation with all that was said, called and paid in it. */
function One({ id }) {
  const found = useData(resource`conversations/${id}`, { limit: 200 });
  const { data } = found;
  useEvents((type, event) => {
    const isOurs = event.id === id || event.conversation_id === id;
    if (type === 'sync' || (isOurs && (type === 'conversation' || type === 'message')))
      found.reload();
  });
  return (
    <Page
      wide
      title={data?.title || t('conversations.one')}
      about={data && dateTime(data.started_at)}
      back={{ href: href('/conversations'), label: t('conversations.title') }}
      actions={data && <Actions of={data} found={found} />}
    >
      <Loaded of={found} lines={8}>
        {(one) => (
          <div class="columns">
            <div>
              <Transcript messages={one.messages} details />
              <Rest of={one} found={found} />
            </div>
            <About of={one} />
          </div>
        )}
      </Loaded>
    </Page>
  );
}

/** Very long ones come in pages. */
function Rest({ of: one, found }) {
  const [more, { busy }] = useAction(async () => {
    const next = await get(resource`conversations/${one.id}`, {
      limit: 200,
      cursor: one.next_cursor,
    });
    next.messages.unshift(...one.messages); // in place: what was read is known by the object
    found.set(next);
  });
  if (!one.next_cursor) return null;
  return (
    <div class="more">
      <Button onClick={more} busy={busy}>
        {t('common.more')}
      </Button>
    </div>
  );
}

function Actions({ of: one, found }) {
  const change = (values, said) =>
    patch(resource`conversations/${one.id}`, values, { was: one })
      .then(() => toast(said), toastProblem)
      .then(found.reload);
  const erase = async () => {
    const sure = await confirm({
      title: t('conversations.eraseTitle'),
      text: t('conversations.eraseText'),
      action: t('conversations.erase'),
      danger: true,
    });
    if (!sure) return;
    await post('visitors/delete', { conversation_id: one.id }).then(() => {
      toast(t('conversations.erased'));
      navigate('/conversations', { replace: true });
    }, toastProblem);
  };
  const isArchived = one.status === 'archived';
  const isOpen = one.status === 'active' || isArchived;
  const file = (format) => ({
    label: t(`conversations.formats.${format}`),
    icon: 'download',
    href: url(resource`conversations/${one.id}/export`, { format }),
    download: `conversation.${format}`,
  });
  const items = [
    file('csv'),
    file('json'),
    isOpen && {
      label: t(isArchived ? 'conversations.unarchive' : 'conversations.archive'),
      icon: 'inbox',
      run: () =>
        change(
          { status: isArchived ? 'active' : 'archived' },
          t(isArchived ? 'conversations.unarchived' : 'conversations.archived'),
        ),
    },
    may('admin') && { label: t('conversations.erase'), icon: 'trash', danger: true, run: erase },
  ];
  return (
    <>
      {one.status !== 'ended' && !isArchived && (
        <LinkButton kind="strong" icon="hand" href={href(`/inbox/${one.id}`)}>
          {t('conversations.takeOver')}
        </LinkButton>
      )}
      <Menu label={t('common.actions')} items={items} />
    </>
  );
}

function About({ of: one }) {
  return (
    <Card title={t('conversations.details')} class="aside">
      <Facts of={one} />
    </Card>
  );
}

/** What is known of a conversation and its visitor, as a list of terms. */
export function Facts({ of: one }) {
  const contact = Object.entries(one.contact ?? {}).filter(
    ([, value]) => typeof value === 'string',
  );
  const facts = [
    [t('conversations.status'), <Status key="s" name={one.status} />],
    [t('conversations.visitor'), one.user_identifier && <bdi>{one.user_identifier}</bdi>],
    [t('conversations.name'), one.verified_name && <bdi>{one.verified_name}</bdi>],
    [t('conversations.email'), one.verified_email && <bdi>{one.verified_email}</bdi>],
    ...contact.map(([name, value]) => [
      word('conversations.contact', name),
      <bdi key={name}>{value}</bdi>,
    ]),
    [t('conversations.page'), one.page_url && <bdi class="break">{one.page_url}</bdi>],
    [t('conversations.channel'), word('channels', one.channel)],
    [t('conversations.language'), word('languages', one.language)],
    [t('conversations.model'), one.model],
    [
      t('conversations.reason'),
      one.handoff?.reason && <span dir="auto">{word('reasons', one.handoff.reason)}</span>,
    ],
    [t('analytics.reasons'), one.cause && word('reasons', one.cause)],
    [t('conversations.rating'), one.rating && t('conversations.stars', { n: one.rating })],
    [
      t('conversations.comment'),
      one.rating_comment && (
        <q key="q" dir="auto">
          {one.rating_comment}
        </q>
      ),
    ],
    [
      t('conversations.others.resolved'),
      typeof one.resolved === 'boolean' && t(one.resolved ? 'common.yes' : 'common.no'),
    ],
    [
      t('conversations.others.sentiment'),
      one.sentiment && word('analytics.figures', `sentiment_${one.sentiment}`),
    ],
    [t('conversations.messages'), number(one.messages_total)],
    [t('conversations.firstToken'), one.first_token_ms && milliseconds(one.first_token_ms)],
    [
      t('conversations.tools'),
      one.tool_calls > 0 &&
        `${number(one.tool_calls)} (${t('conversations.failed', { n: one.tool_failures })})`,
    ],
    [t('conversations.cost'), one.cost_usd !== null && money(one.cost_usd)],
    [t('conversations.started'), dateTime(one.started_at)],
    [t('conversations.ended'), one.ended_at && dateTime(one.ended_at)],
  ];
  return (
    <dl class="facts-list">
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
    </dl>
  );
}
