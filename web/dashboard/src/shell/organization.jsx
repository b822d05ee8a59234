import { useState } from 'preact/hooks';
import { actIn, chooseTeam, session } from '../api/session.js';
import { useData } from '../api/data.js';
import { t } from '../i18n.js';
import { Icon } from '../ui/icon.jsx';
import { Menu } from '../ui/menu.jsx';
import { toastProblem } from '../ui/toast.jsx';
import { ChooseOrganization } from './choose-organization.jsx';

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
      {choosing && (
        <ChooseOrganization
          title={t('shell.switchOrganization')}
          current={organization.id}
          onChoose={(id) => actIn(id).catch(toastProblem)}
          onClose={() => setChoosing(false)}
        />
      )}
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
