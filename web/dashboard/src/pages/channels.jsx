import { useState } from 'preact/hooks';
import { useData, useList } from '../api/data.js';
import { post, put, resource } from '../api/http.js';
import { may } from '../api/session.js';
import { explain } from '../explain.js';
import { ago, number } from '../format.js';
import { t, word } from '../i18n.js';
import { href } from '../router.js';
import { Badge } from '../ui/badge.jsx';
import { Button } from '../ui/button.jsx';
import { Dialog, confirm } from '../ui/dialog.jsx';
import { Form } from '../ui/form.jsx';
import { Menu } from '../ui/menu.jsx';
import { Card, Empty, Loaded, Notice, Page } from '../ui/page.jsx';
import { Switch } from '../ui/switch.jsx';
import { Table } from '../ui/table.jsx';
import { toastProblem } from '../ui/toast.jsx';
import { SigningSecret } from './tools/secret.jsx';

const USUAL = ['whatsapp', 'messenger', 'email', 'sms'];

/** Where conversations come from besides pages, and how answers get back there. */
export default function Channels() {
  const found = useData('channels');
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const make = (name) =>
    setDialog({ kind: 'edit', one: { channel: name ?? '', enabled: true }, isNew: true });
  return (
    <Page
      title={t('channelsPage.title')}
      about={t('channelsPage.about')}
      actions={
        may('admin') && (
          <Button kind="strong" icon="plus" onClick={() => make()}>
            {t('channelsPage.add')}
          </Button>
        )
      }
    >
      <Loaded of={found}>
        {({ channels }) => (
          <>
            {channels.map((one) => (
              <Channel key={one.channel} of={one} reload={found.reload} open={setDialog} />
            ))}
            {!channels.length && (
              <Empty
                icon="phone"
                title={t('channelsPage.none')}
                action={
                  may('admin') && (
                    <div class="actions">
                      {USUAL.map((name) => (
                        <Button key={name} small onClick={() => make(name)}>
                          {word('channels', name)}
                        </Button>
                      ))}
                    </div>
                  )
                }
              >
                {t('channelsPage.noneAbout')}
              </Empty>
            )}
          </>
        )}
      </Loaded>
      {dialog?.kind === 'edit' && (
        <Edit
          {...dialog}
          onClose={close}
          onDone={(made) => (
            found.reload(),
            made.signing_secret ? setDialog({ kind: 'secret', made }) : close()
          )}
        />
      )}
      {dialog?.kind === 'secret' && (
        <SigningSecret value={dialog.made.signing_secret} onClose={close} />
      )}
      {dialog?.kind === 'log' && <Deliveries channel={dialog.channel} onClose={close} />}
    </Page>
  );
}

function Channel({ of: one, reload, open }) {
  const path = resource`channels/${one.channel}`;
  const turn = (enabled) => put(path, { enabled }).then(reload, toastProblem);
  const rotate = async () => {
    const sure = await confirm({
      title: t('tools.newSecretTitle'),
      text: t('tools.newSecretText'),
    });
    if (sure)
      put(path, { rotate_secret: true }).then(
        (made) => open({ kind: 'secret', made }),
        toastProblem,
      );
  };
  return (
    <Card
      title={word('channels', one.channel)}
      about={<bdi dir="ltr">{one.outbound_url ?? t('channelsPage.noAddress')}</bdi>}
      actions={
        <>
          <Switch
            label={t('tools.enable', { name: word('channels', one.channel) })}
            checked={one.enabled}
            disabled={!may('admin')}
            onChange={turn}
          />
          <Menu
            label={t('users.actionsOf', { name: one.channel })}
            items={[
              may('admin') && {
                label: t('common.edit'),
                icon: 'edit',
                run: () => open({ kind: 'edit', one }),
              },
              may('admin') && { label: t('tools.newSecret'), icon: 'key', run: rotate },
              {
                label: t('channelsPage.deliveries'),
                icon: 'log',
                run: () => open({ kind: 'log', channel: one.channel }),
              },
            ]}
          />
        </>
      }
    >
      <p class="marks">
        <Badge>{t('channelsPage.waiting', { n: one.waiting })}</Badge>{' '}
        <Badge>{t('channelsPage.pending', { n: one.pending })}</Badge>{' '}
        {one.failed > 0 && <Badge tone="bad">{t('channelsPage.failed', { n: one.failed })}</Badge>}
      </p>
      {one.last_error && (
        <Notice tone="warn">{explain(one.last_error_reason, one.last_error)}</Notice>
      )}
    </Card>
  );
}

function Edit({ one, isNew, onClose, onDone }) {
  const fields = [
    isNew && {
      name: 'channel',
      label: t('channelsPage.name'),
      hint: t('channelsPage.nameHint'),
      required: true,
      dir: 'ltr',
    },
    {
      name: 'outbound_url',
      type: 'url',
      label: t('channelsPage.address'),
      hint: t('channelsPage.addressHint'),
      placeholder: 'https://n8n.example.com/webhook/frontdesk/whatsapp/out',
    },
    isNew && { name: 'enabled', type: 'switch', label: t('channelsPage.on') },
  ].filter(Boolean);
  const save = ({ channel, enabled, outbound_url: address }, changed) =>
    (isNew
      ? post('channels', { channel, enabled, ...(address && { outbound_url: address }) })
      : put(
          resource`channels/${one.channel}`,
          'outbound_url' in changed ? { outbound_url: address || null } : {},
        )
    ).then(onDone);
  return (
    <Dialog title={isNew ? t('channelsPage.add') : word('channels', one.channel)} onClose={onClose}>
      <Form guard={false} fields={fields} value={one} onSubmit={save} onCancel={onClose} />
    </Dialog>
  );
}

const TONES = { delivered: 'good', failed: 'bad', pending: 'warn' };

function Deliveries({ channel, onClose }) {
  const list = useList(resource`channels/${channel}/deliveries`, { limit: 30 });
  return (
    <Dialog title={t('channelsPage.deliveries')} size="large" onClose={onClose}>
      <Table
        label={t('channelsPage.deliveries')}
        list={list}
        columns={[
          {
            title: t('channelsPage.delivery'),
            fill: true,
            cell: (row) => (
              <span>
                {row.conversation_id ? (
                  <a href={href(`/conversations/${row.conversation_id}`)}>
                    {word('channelsPage.kinds', row.kind)}
                  </a>
                ) : (
                  word('channelsPage.kinds', row.kind)
                )}
                {row.last_error && (
                  <span class="about">{explain(row.last_error_reason, row.last_error)}</span>
                )}
              </span>
            ),
          },
          {
            title: t('tools.status'),
            cell: (row) => (
              <Badge tone={TONES[row.state]}>{word('channelsPage.states', row.state)}</Badge>
            ),
          },
          { title: t('channelsPage.attempts'), align: 'end', cell: (row) => number(row.attempts) },
          { title: t('tools.when'), align: 'end', cell: (row) => ago(row.created_at) },
        ]}
        empty={<Empty icon="send" title={t('channelsPage.noDeliveries')} />}
      />
    </Dialog>
  );
}
