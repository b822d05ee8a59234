import { useMemo, useRef, useState } from 'preact/hooks';
import { useAction, useData } from '../api/data.js';
import { resource } from '../api/http.js';
import { actIn, session } from '../api/session.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { href, setQuery } from '../router.js';
import { ChooseOrganization } from '../shell/choose-organization.jsx';
import { Button } from '../ui/button.jsx';
import { useFilters } from '../ui/filters.jsx';
import { Icon } from '../ui/icon.jsx';
import { Menu } from '../ui/menu.jsx';
import { Empty, Fault, Loaded, Page } from '../ui/page.jsx';

/*
 * Conversations of other organizations, which the platform's owner reads without going there: the
 * parameter `organization` of the address is "all" or an id.
 */

/** Filters that are of one organization: the server refuses them over all. */
const OF_ONE = ['q', 'team', 'user', 'tool', 'gap', 'handoff_reason'];

/** What the address names, where that is not the organization that the session acts in. */
export function useElsewhere() {
  const { organization } = useFilters(['organization']);
  return organization === session.value.organization.id ? undefined : organization;
}

export const isOne = (elsewhere) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(elsewhere);

/** This one, all of them, or another by its name. */
export function OrganizationFilter({ elsewhere }) {
  const [choosing, setChoosing] = useState(false);
  const { data: other } = useData(isOne(elsewhere) ? resource`organizations/${elsewhere}` : null);
  const here = session.value.organization;
  const isAll = elsewhere === 'all';
  const choose = (organization) => {
    setChoosing(false);
    setQuery({ organization: organization === here.id ? null : organization });
  };
  const all = () =>
    setQuery({ ...Object.fromEntries(OF_ONE.map((name) => [name, null])), organization: 'all' });
  const items = [
    { label: t('conversations.thisOne', here), checked: !elsewhere, run: () => choose(here.id) },
    { label: t('conversations.allOrganizations'), checked: isAll, run: all },
    other && { label: other.name, checked: true },
    { label: t('conversations.anotherOne'), icon: 'search', run: () => setChoosing(true) },
  ];
  const name = isAll ? t('conversations.allOrganizations') : elsewhere ? other?.name : here.name;
  const face = (
    <span class={elsewhere ? 'filter set' : 'filter'}>
      <span class="hidden">{t('conversations.organization')}</span>
      <bdi>{name ?? '…'}</bdi>
      <Icon name="down" size={12} />
    </span>
  );
  return (
    <>
      <Menu label={t('conversations.organization')} button={face} items={items} align="start" />
      {choosing && (
        <ChooseOrganization
          title={t('conversations.chooseOrganization')}
          current={elsewhere ?? here.id}
          onChoose={choose}
          onClose={() => setChoosing(false)}
        />
      )}
    </>
  );
}

/** Events are of the organization that the session acts in: this list is as it was read. */
export function ReadAt({ list }) {
  const at = useRef();
  useMemo(() => {
    const rows = list.answer?.conversations.length;
    if (list.items.length === rows) at.current = new Date().toISOString(); // not with a later page
  }, [list.answer]);
  if (!list.answer) return null;
  return (
    <div class="fresh">
      <span class="about">{t('conversations.readAt', { time: clock(at.current) })}</span>
      <Button small kind="quiet" icon="refresh" onClick={list.reload}>
        {t('conversations.readAgain')}
      </Button>
    </div>
  );
}

/** Instead of a conversation: whose it is, and whether to go there. It is opened by the same address then. */
export function GoThere({ organization }) {
  const found = useData(resource`organizations/${organization}`);
  const [go, { busy, problem }] = useAction(() =>
    actIn(organization, location.pathname + location.search),
  );
  return (
    <Page
      title={t('conversations.one')}
      back={{ href: href('/conversations?organization=all'), label: t('conversations.title') }}
    >
      <Loaded of={found}>
        {({ name }) => (
          <Empty
            icon="building"
            title={t('conversations.isOf', { name })}
            action={
              <Button kind="strong" busy={busy} onClick={go}>
                {t('elsewhere.go', { there: name })}
              </Button>
            }
          >
            {t('conversations.isOfAbout', { name, here: session.value.organization.name })}
          </Empty>
        )}
      </Loaded>
      <Fault problem={problem} />
    </Page>
  );
}
