import { useData } from '../../api/data.js';
import { patch } from '../../api/http.js';
import { t } from '../../i18n.js';
import { setQuery } from '../../router.js';
import { toastProblem } from '../../ui/toast.jsx';

/** The organisation's teams; where there are none, nobody is asked for one. */
export const useTeams = () => useData('teams').data?.teams ?? [];

/** Whether a conversation is of the team that is looked at: its id, 'none', or nothing for all. */
export const isOf = (team, { team_id: id }) => !team || (team === 'none' ? !id : id === team);

/** Whose conversations the queue shows; it stands in the address. */
export function TeamFilter({ team }) {
  const teams = useTeams();
  if (!teams.length) return null;
  return (
    <label class={team ? 'filter set' : 'filter'}>
      <span class="hidden">{t('inbox.team')}</span>
      <select value={team} onChange={(event) => setQuery({ team: event.currentTarget.value })}>
        <option value="">{t('inbox.allTeams')}</option>
        <Options teams={teams} none="none" />
      </select>
    </label>
  );
}

/** Gives the conversation to a team. */
export function GiveTo({ path, of }) {
  const teams = useTeams();
  if (!teams.length) return null;
  const give = (id) => patch(path, { team_id: id || null }).catch(toastProblem);
  return (
    <label class="field">
      <span class="label">{t('inbox.team')}</span>
      <select
        class="input"
        value={of.team_id ?? ''}
        onChange={(event) => give(event.currentTarget.value)}
      >
        <Options teams={teams} none="" />
      </select>
    </label>
  );
}

const Options = ({ teams, none }) => (
  <>
    <option value={none}>{t('shell.noTeam')}</option>
    {teams.map(({ id, name }) => (
      <option key={id} value={id}>
        {name}
      </option>
    ))}
  </>
);
