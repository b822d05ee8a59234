import { useState } from 'preact/hooks';
import { useData, useList } from '../../api/data.js';
import { patch, post, resource } from '../../api/http.js';
import { may } from '../../api/session.js';
import { explain } from '../../explain.js';
import { ago, milliseconds } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Button, LinkButton } from '../../ui/button.jsx';
import { Json } from '../../ui/code.jsx';
import { Card, Empty, Loaded, Page } from '../../ui/page.jsx';
import { Switch } from '../../ui/switch.jsx';
import { Table } from '../../ui/table.jsx';
import { Tabs } from '../../ui/tabs.jsx';
import { toast, toastProblem } from '../../ui/toast.jsx';

export const RISK_TONES = { read: 'good', write: 'warn', high: 'bad' };

export default function Tools() {
  const approvals = useData('approvals');
  return (
    <Page
      title={t('tools.title')}
      about={t('tools.about')}
      actions={
        may('admin') && (
          <LinkButton kind="strong" icon="plus" href={href('/tools/new')}>
            {t('tools.make')}
          </LinkButton>
        )
      }
    >
      <Tabs
        label={t('tools.title')}
        tabs={[
          { name: 'tools', label: t('tools.title'), render: () => <List /> },
          {
            name: 'approvals',
            label: t('tools.approvals'),
            count: approvals.data?.approvals.length,
            render: () => <Approvals found={approvals} />,
          },
          { name: 'log', label: t('tools.log'), render: () => <Log /> },
        ]}
      />
    </Page>
  );
}

function List() {
  const found = useData('tools');
  const turn = (tool, enabled) =>
    patch(resource`tools/${tool.name}`, { enabled }).then(found.reload, toastProblem);
  return (
    <Loaded of={found} lines={6}>
      {({ tools }) =>
        tools.length ? (
          <Card flush>
            <ul class="rows">
              {tools.map((tool) => (
                <li key={tool.name}>
                  <div class="row">
                    <span>
                      <a href={href(`/tools/${tool.name}`)} class="plain-link">
                        <code>{tool.name}</code>
                      </a>{' '}
                      <Badge tone={RISK_TONES[tool.risk]}>{word('tools.risks', tool.risk)}</Badge>{' '}
                      {tool.origin !== 'own' && <Badge>{word('tools.origins', tool.origin)}</Badge>}{' '}
                      {!tool.url && <Badge>{t('tools.needsUrl')}</Badge>}
                      <span class="about" dir="auto">
                        {tool.description}
                      </span>
                    </span>
                    <Switch
                      label={t('tools.enable', { name: tool.name })}
                      checked={tool.enabled}
                      disabled={!may('admin') || (!tool.enabled && !tool.url)}
                      onChange={(enabled) => turn(tool, enabled)}
                    />
                  </div>
                </li>
              ))}
            </ul>
          </Card>
        ) : (
          <Empty icon="tool" title={t('tools.none')}>
            {t('tools.noneAbout')}
          </Empty>
        )
      }
    </Loaded>
  );
}

/* -- what waits for a person ---------------------------------------------------------------- */

function Approvals({ found }) {
  const decide = (one, verb) =>
    post(resource`approvals/${one.id}/${verb}`).then(
      () => (toast(t(`tools.${verb}d`)), found.reload()),
      (problem) => (toastProblem(problem), found.reload()),
    );
  return (
    <Loaded of={found}>
      {({ approvals }) =>
        approvals.length ? (
          approvals.map((one) => (
            <Card key={one.id} title={<code>{one.tool}</code>} about={ago(one.created_at)}>
              <Json label={t('tools.arguments')} value={one.arguments} />
              <div class="actions">
                <Button kind="strong" onClick={() => decide(one, 'approve')}>
                  {t('tools.approve')}
                </Button>
                <Button onClick={() => decide(one, 'decline')}>{t('tools.decline')}</Button>
                {one.conversation_id && (
                  <LinkButton kind="quiet" href={href(`/conversations/${one.conversation_id}`)}>
                    {t('tools.toConversation')}
                  </LinkButton>
                )}
              </div>
            </Card>
          ))
        ) : (
          <Empty icon="check" title={t('tools.noApprovals')}>
            {t('tools.noApprovalsAbout')}
          </Empty>
        )
      }
    </Loaded>
  );
}

/* -- what was run --------------------------------------------------------------------------- */

const TONES = { done: 'good', failed: 'bad', unknown: 'warn', started: 'accent' };

export function Log({ tool }) {
  const list = useList('tool-executions', { tool, limit: 30 });
  const [open, setOpen] = useState(null);
  return (
    <Card flush title={t('tools.log')} about={t('tools.logAbout')}>
      <Table
        label={t('tools.log')}
        list={list}
        current={open}
        columns={[
          {
            title: t('tools.tool'),
            fill: true,
            cell: (one) => (
              <span>
                <button
                  type="button"
                  class="link"
                  aria-expanded={open === one.id}
                  onClick={() => setOpen(open === one.id ? null : one.id)}
                >
                  <code>{one.tool}</code>
                </button>
                {one.detail && <span class="about">{explain(one.detail_reason, one.detail)}</span>}
                {open === one.id && <Detail of={one} />}
              </span>
            ),
          },
          {
            title: t('tools.status'),
            cell: (one) => <Badge tone={TONES[one.status]}>{word('toolStatus', one.status)}</Badge>,
          },
          { title: t('tools.time'), align: 'end', wide: true, cell: (one) => milliseconds(one.ms) },
          { title: t('tools.when'), align: 'end', wide: true, cell: (one) => ago(one.created_at) },
        ]}
        empty={
          <Empty icon="clock" title={t('tools.noLog')}>
            {t('tools.noLogAbout')}
          </Empty>
        }
      />
    </Card>
  );
}

function Detail({ of: one }) {
  return (
    <div class="stack">
      <p class="about">{t('tools.arguments')}</p>
      <Json label={t('tools.arguments')} value={one.arguments} />
      <p class="about">{t('tools.response')}</p>
      <Json label={t('tools.response')} value={one.response} />
      {one.conversation_id && (
        <a href={href(`/conversations/${one.conversation_id}`)}>{t('tools.toConversation')}</a>
      )}
    </div>
  );
}
