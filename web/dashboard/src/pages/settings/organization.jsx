import { useData } from '../../api/data.js';
import { patch } from '../../api/http.js';
import { may } from '../../api/session.js';
import { number } from '../../format.js';
import { t, word } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Form } from '../../ui/form.jsx';
import { Card, Loaded } from '../../ui/page.jsx';
import { toast } from '../../ui/toast.jsx';

export function Organization() {
  const found = useData('organization');
  const fields = [
    { name: 'name', label: t('settings.name'), required: true },
    { name: 'domain', label: t('settings.domain'), dir: 'ltr', placeholder: 'shop.example' },
  ];
  const save = async (_, { ...changed }) => {
    if (changed.domain === '') changed.domain = null;
    found.set(await patch('organization', changed, { was: found.data }));
    toast(t('common.saved'));
  };
  return (
    <Loaded of={found}>
      {(organization) => (
        <>
          <Card title={t('settings.organization')}>
            <Form fixed={!may('admin')} fields={fields} value={organization} onSubmit={save} />
          </Card>
          <Card
            title={t('settings.plan')}
            about={t('settings.planAbout')}
            actions={<Badge tone="accent">{word('organizations.plans', organization.plan)}</Badge>}
          >
            <Limits of={organization.limits} />
          </Card>
        </>
      )}
    </Loaded>
  );
}

function Limits({
  of: {
    requests_per_minute: requests,
    concurrent_chats: chats,
    messages_per_month: messages,
    at_limit: atLimit,
  },
}) {
  const rows = [
    ['requests', number(requests)],
    ['chats', number(chats)],
    ['messages', messages > 0 ? number(messages) : t('settings.unlimited')],
    ['atLimit', t(`settings.limits.${atLimit}`)],
  ];
  return (
    <dl class="facts-list">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{t(`settings.limits.${name}`)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
