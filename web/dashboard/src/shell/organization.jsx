import { useState } from 'preact/hooks';
import { actIn, chooseTeam, session } from '../api/session.js';
import { useData, useList } from '../api/data.js';
import { t } from '../i18n.js';
import { Dialog } from '../ui/dialog.jsx';
import { Icon } from '../ui/icon.jsx';
import { Menu } from '../ui/menu.jsx';
import { Empty, Fault, Skeleton } from '../ui/page.jsx';
import { More } from '../ui/table.jsx';
import { toastProblem } from '../ui/toast.jsx';

/** Whose page this is; a superadmin goes from here to another organisation. */
export function Organization() {
  const { organization, user, role } = session.value;
  const [choosing, setChoosing] = useState(false);
  const inner = (
    <>
      <span class="mark" aria-hidden="true">
        {[...organization.name][0]}
      </span>
      <bdi>{organization.name}</bdi>
    </>
  );
  return (
    <div class="organization">
      {user.superadmin ? (
        <button
          type="button"
          class="menu-button"
          aria-haspopup="dialog"
          onClick={() => setChoosing(true)}
        >
          {inner}
          <Icon name="down" size={14} />
        </button>
      ) : (
        <div class="menu-button">{inner}</div>
      )}
      {role !== 'client' && <Team />}
      {choosing && <Switcher onClose={() => setChoosing(false)} />}
    </div>
  );
}

function Team() {
  const { user, team_id: team } = session.value;
  const { data } = useData('teams');
  const mine = (data?.teams ?? []).filter(({ members }) =>
    members.some((one) => one.user_id === user.id),
  );
  if (!mine.length) return null;
  const name = mine.find(({ id }) => id === team)?.name ?? t('shell.noTeam');
  const choice = (id, label) => ({
    label,
    checked: (team ?? null) === id,
    run: () => chooseTeam(id).catch(toastProblem),
  });
  const items = [choice(null, t('shell.noTeam')), ...mine.map((one) => choice(one.id, one.name))];
  const button = (
    <>
      <Icon name="users" size={14} />
      <span class="hidden">{t('shell.team')}</span>
      <span>{name}</span>
      <Icon name="down" size={12} />
    </>
  );
  return <Menu label={t('shell.team')} button={button} items={items} align="start" />;
}

function Switcher({ onClose }) {
  const [text, setText] = useState('');
  const list = useList('organizations', { q: text, status: 'active', limit: 20 });
  return (
    <Dialog title={t('shell.switchOrganization')} onClose={onClose}>
      <label class="search">
        <Icon name="search" size={16} />
        <span class="hidden">{t('common.search')}</span>
        <input
          type="search"
          autofocus
          dir="auto"
          value={text}
          placeholder={t('common.search')}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <Fault problem={list.problem} />
      {list.isFirst && <Skeleton />}
      <ul class="choices">
        {list.items.map(({ id, name, domain }) => (
          <li key={id}>
            <button type="button" class="choice" onClick={() => actIn(id).catch(toastProblem)}>
              <span class="mark" aria-hidden="true">
                {[...name][0]}
              </span>
              <span>
                <bdi>{name}</bdi>
                {domain && <span class="about"> {domain}</span>}
              </span>
              {id === session.value.organization.id && <Icon name="check" size={16} />}
            </button>
          </li>
        ))}
      </ul>
      {!list.loading && !list.items.length && (
        <Empty icon="search" title={t('common.nothingFound')} />
      )}
      <More list={list} />
    </Dialog>
  );
}
