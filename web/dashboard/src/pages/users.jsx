import { useState } from 'preact/hooks';
import { useData, useList } from '../api/data.js';
import { patch, post, put, remove, resource } from '../api/http.js';
import { may, session } from '../api/session.js';
import { ago, duration } from '../format.js';
import { t, word } from '../i18n.js';
import { Badge } from '../ui/badge.jsx';
import { Button } from '../ui/button.jsx';
import { Snippet } from '../ui/code.jsx';
import { Dialog, confirm } from '../ui/dialog.jsx';
import { Edit } from '../ui/edit.jsx';
import { Form } from '../ui/form.jsx';
import { historyChoice } from '../ui/history.jsx';
import { Menu } from '../ui/menu.jsx';
import { Card, Empty, Loaded, Notice, Page } from '../ui/page.jsx';
import { Table } from '../ui/table.jsx';
import { Tabs } from '../ui/tabs.jsx';
import { toast, toastProblem } from '../ui/toast.jsx';

const ROLES = ['client', 'staff', 'admin', 'owner'];

/** Nobody gives a role above their own. */
const roleOptions = () =>
  ROLES.filter((name) => may(name)).map((value) => ({
    value,
    label: `${word('roles', value)}: ${t(`users.may.${value}`)}`,
  }));

export default function Users() {
  const users = useList('users', { limit: 100 });
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const changed = (text) => {
    close();
    users.reload();
    toast(text);
  };
  return (
    <Page
      title={t('users.title')}
      about={t('users.about')}
      actions={
        <Button kind="strong" icon="plus" onClick={() => setDialog({ kind: 'invite' })}>
          {t('users.invite')}
        </Button>
      }
    >
      <Tabs
        label={t('users.title')}
        tabs={[
          {
            name: 'people',
            label: t('users.people'),
            render: () => <People list={users} open={setDialog} />,
          },
          { name: 'teams', label: t('users.teams'), render: () => <Teams people={users.items} /> },
        ]}
      />
      {dialog?.kind === 'invite' && (
        <Invite
          onClose={close}
          onDone={(made) => (users.reload(), setDialog({ kind: 'token', made }))}
        />
      )}
      {dialog?.kind === 'edit' && (
        <Change user={dialog.user} onClose={close} onDone={() => changed(t('common.saved'))} />
      )}
      {dialog?.kind === 'token' && <Token made={dialog.made} onClose={close} />}
    </Page>
  );
}

/* -- people --------------------------------------------------------------------------------- */

function People({ list, open }) {
  const act = (promise, text) => promise.then(() => (list.reload(), toast(text)), toastProblem);
  const resetPassword = (user) =>
    post(resource`users/${user.id}/reset`).then(
      (made) => open({ kind: 'token', made: { ...made, email: user.email } }),
      toastProblem,
    );
  const turn = async (user, status) => {
    const sure =
      status === 'active' ||
      (await confirm({
        title: t('users.disableTitle', { name: user.name || user.email }),
        text: t('users.disableText'),
        action: t('users.disable'),
        danger: true,
      }));
    if (sure)
      act(
        patch(resource`users/${user.id}`, { status }),
        t(status === 'active' ? 'users.enabled' : 'users.disabled'),
      );
  };
  const actions = (user) => [
    { label: t('common.edit'), icon: 'edit', run: () => open({ kind: 'edit', user }) },
    { label: t('users.newPassword'), icon: 'key', run: () => resetPassword(user) },
    historyChoice(`users/${user.id}`),
    user.status === 'active'
      ? {
          label: t('users.disable'),
          icon: 'close',
          danger: true,
          run: () => turn(user, 'disabled'),
        }
      : { label: t('users.enable'), icon: 'check', run: () => turn(user, 'active') },
  ];
  return (
    <Card flush>
      <Table
        label={t('users.people')}
        list={list}
        columns={[
          { title: t('users.person'), fill: true, cell: (user) => <Person of={user} /> },
          {
            title: t('users.role'),
            cell: (user) => (
              <Badge tone={user.role === 'owner' ? 'accent' : 'neutral'}>
                {word('roles', user.role)}
              </Badge>
            ),
          },
          {
            title: t('users.lastSeen'),
            wide: true,
            cell: (user) => (user.last_sign_in_at ? ago(user.last_sign_in_at) : t('users.never')),
          },
          {
            title: <span class="hidden">{t('common.actions')}</span>,
            align: 'end',
            cell: (user) =>
              user.id !== session.value.user.id && (
                <Menu
                  label={t('users.actionsOf', { name: user.name || user.email })}
                  items={actions(user)}
                />
              ),
          },
        ]}
        empty={<Empty icon="users" title={t('users.none')} />}
      />
    </Card>
  );
}

const Person = ({ of: { name, email, status, can_sign_in: can, id } }) => (
  <span>
    <bdi>{name || email}</bdi> {id === session.value.user.id && <Badge>{t('users.you')}</Badge>}{' '}
    {status === 'disabled' && <Badge tone="bad">{t('users.isDisabled')}</Badge>}{' '}
    {status === 'active' && !can && <Badge tone="warn">{t('users.invited')}</Badge>}
    {name && (
      <span class="about">
        <bdi>{email}</bdi>
      </span>
    )}
  </span>
);

function Invite({ onClose, onDone }) {
  const fields = [
    { name: 'email', type: 'email', label: t('users.email'), required: true, autocomplete: 'off' },
    { name: 'name', label: t('users.name'), autocomplete: 'off' },
    {
      name: 'role',
      type: 'select',
      label: t('users.role'),
      options: roleOptions(),
      required: true,
    },
  ];
  const submit = async (values) =>
    onDone({ ...(await post('users', values)), email: values.email });
  return (
    <Dialog title={t('users.invite')} onClose={onClose}>
      <Form
        guard={false}
        fields={fields}
        value={{ role: 'staff' }}
        onSubmit={submit}
        submit={t('users.inviteThem')}
        onCancel={onClose}
      />
    </Dialog>
  );
}

function Change({ user, onClose, onDone }) {
  const path = resource`users/${user.id}`;
  const fields = [
    { name: 'name', label: t('users.name') },
    {
      name: 'role',
      type: 'select',
      label: t('users.role'),
      options: roleOptions(),
      hint: t('users.roleHint'),
    },
  ];
  return (
    <Edit title={user.email} path={path} onClose={onClose}>
      {(now) => (
        <Form
          guard={false}
          fields={fields}
          value={now}
          onSubmit={(_, changed) => patch(path, changed, { was: now }).then(onDone)}
          onCancel={onClose}
        />
      )}
    </Edit>
  );
}

/** The one time that a token is shown: behind the # of a link, where no server sees it. */
function Token({ made, onClose }) {
  const link = `${location.origin}/dashboard/reset#token=${encodeURIComponent(made.reset_token)}`;
  return (
    <Dialog title={t('users.tokenTitle')} onClose={onClose}>
      <div class="stack">
        <p>{t('users.tokenText', { email: made.email, time: duration(made.expires_in) })}</p>
        <Snippet label={t('users.tokenTitle')} text={link} wrap />
        <Notice tone="warn">{t('users.tokenOnce')}</Notice>
      </div>
    </Dialog>
  );
}

/* -- teams ---------------------------------------------------------------------------------- */

function Teams({ people }) {
  const teams = useData('teams');
  const act = (promise) => promise.then(teams.reload, toastProblem);
  const drop = async (team) => {
    if (
      await confirm({
        title: t('users.dropTeam', { name: team.name }),
        action: t('common.delete'),
        danger: true,
      })
    )
      act(remove(resource`teams/${team.id}`));
  };
  return (
    <div class="stack">
      <Card title={t('users.newTeam')} about={t('users.teamsAbout')}>
        <Form
          guard={false}
          fields={[{ name: 'name', label: t('users.teamName'), required: true }]}
          onSubmit={(values) => post('teams', values).then(teams.reload)}
          submit={t('users.makeTeam')}
        />
      </Card>
      <Loaded of={teams}>
        {(data) =>
          data.teams.length ? (
            data.teams.map((team) => (
              <Team key={team.id} team={team} people={people} act={act} drop={drop} />
            ))
          ) : (
            <Empty icon="users" title={t('users.noTeams')}>
              {t('users.noTeamsAbout')}
            </Empty>
          )
        }
      </Loaded>
    </div>
  );
}

function Team({ team, people, act, drop }) {
  const members = team.members ?? [];
  const others = people.filter(
    ({ id, status }) => status === 'active' && !members.some((member) => member.user_id === id),
  );
  return (
    <Card
      flush
      title={<bdi>{team.name}</bdi>}
      about={t('users.members', { n: members.length })}
      actions={
        <>
          {others.length > 0 && (
            <Menu
              label={t('users.addMember')}
              button={<span class="button plain small">{t('users.addMember')}</span>}
              items={others.map((person) => ({
                label: person.name || person.email,
                run: () =>
                  act(put(resource`teams/${team.id}/members/${person.id}`, { role: person.role })),
              }))}
            />
          )}
          <Menu
            label={t('users.actionsOf', { name: team.name })}
            items={[
              { label: t('common.delete'), icon: 'trash', danger: true, run: () => drop(team) },
            ]}
          />
        </>
      }
    >
      <ul class="rows">
        {members.map((member) => (
          <li key={member.user_id}>
            <div class="row">
              <span>
                <bdi>{member.name || member.email}</bdi> <Badge>{word('roles', member.role)}</Badge>
              </span>
              <Button
                small
                onClick={() => act(remove(resource`teams/${team.id}/members/${member.user_id}`))}
              >
                {t('users.takeOut')}
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
